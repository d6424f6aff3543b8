// Why an installation of packages or a script failed, from what npm, Yarn or pnpm and the script
// said. Pure.
import { TandemError } from '@tandem/protocol';
import { buildDiskFull, saysDiskFull } from '../diagnosis/full-disk.ts';
import { programOf, type PackageManager } from './package-manager.ts';
import { packageOf } from './script-commands.ts';

const LINES_MAX = 6;
const UNREACHABLE =
  /\b(ENOTFOUND|EAI_AGAIN|ETIMEDOUT|ECONNREFUSED|ECONNRESET|ENETUNREACH|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_VERIFY_LEAF_SIGNATURE|CERT_HAS_EXPIRED|ERR_SOCKET_TIMEOUT|ERR_PNPM_META_FETCH_FAIL)\b/;
const HOST = /\bhttps?:\/\/([^/\s:]+)/;
/** `getaddrinfo ENOTFOUND registry.npmjs.org` */
const AFTER_PROBLEM = /\b(?:getaddrinfo|connect)(?: [A-Z_]+)? ([\w-]+(?:\.[\w-]+)+)/;
const OUT_OF_STEP =
  /\bEUSAGE\b|in sync|ERR_PNPM_OUTDATED_LOCKFILE|lockfile needs to be updated|YN0028|frozen-lockfile|lockfile is frozen/;
const UNKNOWN = /(?:404 Not Found|ERR_PNPM_FETCH_404|YN0035)[^\n]*/;
const CONFLICT = /\bERESOLVE\b/;
const ENGINE = /(?:EBADENGINE|ERR_PNPM_UNSUPPORTED_ENGINE|The engine "node" is incompatible)[^\n]*/;
/** What package managers add after the failure of a script. */
const NOISE =
  /^(npm (ERR!|error|notice|verb)|error Command failed|info Visit|yarn run|\$ |> |\s*ELIFECYCLE| ELIFECYCLE|$)/;

export function explainNodeInstall(manager: PackageManager, logTail: string): TandemError {
  const where = manager.lockFile ?? `${manager.directory || '.'}/package.json`;
  if (saysDiskFull(logTail)) return buildDiskFull();
  if (OUT_OF_STEP.test(logTail)) {
    return new TandemError('NODE_INSTALL_FAILED', `${where} does not match package.json.`, {
      where,
      hint: `bring it up to date and commit it: ${updateCommand(manager)}`,
    });
  }
  const lines = logTail.split('\n').filter((line) => UNREACHABLE.test(line));
  if (lines.length > 0) return unreachable(lines, where);
  const [why, hint] = causeOfInstall(logTail);
  return new TandemError('NODE_INSTALL_FAILED', `${manager.name} could not install: ${why}`, {
    where,
    hint,
  });
}

/** A package may come from another host than the registry. */
function unreachable(lines: readonly string[], where: string): TandemError {
  const [, problem = ''] = UNREACHABLE.exec(lines[0] ?? '') ?? [];
  const hosts = lines.flatMap((line) => (HOST.exec(line) ?? AFTER_PROBLEM.exec(line))?.[1] ?? []);
  const who = hosts[0] ?? 'The npm registry';
  return new TandemError('REGISTRY_UNREACHABLE', `${who} did not answer (${problem}).`, {
    where,
    hint: 'try again: tandem deploy',
  });
}

function causeOfInstall(logTail: string): [string, string] {
  const unknown = UNKNOWN.exec(logTail)?.[0];
  if (unknown !== undefined) {
    return [
      clean(unknown),
      'a private package needs its registry in .npmrc and its token in config',
    ];
  }
  if (CONFLICT.test(logTail)) {
    const found = logTail
      .split('\n')
      .map(clean)
      .filter((line) => /^(Could not|Found:|peer )/.test(line));
    return [
      found.slice(0, 3).join('; '),
      'choose versions that go together, or .npmrc: legacy-peer-deps=true',
    ];
  }
  const engine = ENGINE.exec(logTail)?.[0];
  if (engine !== undefined) {
    return [clean(engine), 'name the version of Node.js: engines in package.json, or .nvmrc'];
  }
  return [lastLines(logTail, false), 'the whole output is in the log above'];
}

export interface FailedScript {
  readonly command: string;
  /** `package.json:LINE` */
  readonly where: string;
  readonly logTail: string;
}

export function explainNodeScript({ command, where, logTail }: FailedScript): TandemError {
  if (saysDiskFull(logTail)) return buildDiskFull();
  if (/JavaScript heap out of memory/.test(logTail)) {
    const message = `"${command}" ran out of memory.`;
    return new TandemError('OUT_OF_MEMORY', message, {
      where,
      hint: 'leave out source maps, or build fewer pages at once',
    });
  }
  return new TandemError('NODE_BUILD_FAILED', `"${command}" failed: ${lastLines(logTail, true)}`, {
    where,
    hint: 'run it in a fresh clone of the project; or turn it off: node = false in tandem.toml',
  });
}

export function saysMissing(program: string): string {
  return `${program} is not among its packages`;
}

export function installHint(program: string, { name }: PackageManager): string {
  const add = name === 'npm' ? 'npm install --save-dev' : `${programOf({ name })} add --dev`;
  return `${add} ${packageOf(program)}`;
}

export function explainMissingProgram(
  { command, where }: Omit<FailedScript, 'logTail'>,
  program: string,
  manager: PackageManager,
): TandemError {
  const message = `"${command}" calls ${program}, and ${saysMissing(program)}.`;
  return new TandemError('NODE_BUILD_FAILED', message, {
    where,
    hint: installHint(program, manager),
  });
}

/** The script's own, without what the package manager says of it. */
function lastLines(logTail: string, own: boolean): string {
  const lines = logTail.trimEnd().split('\n');
  const said = own ? lines.filter((line) => !NOISE.test(line)) : lines.map(clean);
  const kept = said.filter((line) => line.trim() !== '').slice(-LINES_MAX);
  return kept.length > 0 ? kept.join('\n') : 'it said nothing';
}

function clean(line: string): string {
  return line.replace(/^npm (ERR!|error)( code)?\s*/, '').trim();
}

function updateCommand(manager: PackageManager): string {
  return `${programOf(manager)} install`;
}
