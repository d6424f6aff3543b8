// Process types and release commands that the project itself names: tandem.toml, then Procfile.
import type { Finding, ProcessKind, ProcessType } from '../../domain/release.ts';
import { listeningOnOurPort } from './bind-address.ts';
import { finding } from './evidence.ts';
import { withoutPlatformSteps } from './platform-steps.ts';
import { parseProcfile, type ProcfileEntry } from './procfile.ts';
import { under, type SourceTree } from './source-tree.ts';
import type { ConfigurationFile } from './tandem-toml.ts';

const SINGLETON_NAMES = new Set(['beat', 'clock', 'scheduler', 'celerybeat']);
/** Commands of a developer's Procfile: servers that reload, build tools that watch. */
const DEVELOPMENT = /\b(runserver|runserver_plus|make|npm run (dev|watch)|--reload|watchmedo)\b/;

export interface NamedProcesses {
  readonly processes: Readonly<Record<string, ProcessType>>;
  /** Undefined when the project says nothing of a release phase. */
  readonly releaseCommands: readonly string[] | undefined;
  readonly findings: readonly Finding[];
}

export function detectProcesses(
  tree: SourceTree,
  root: string,
  configuration: ConfigurationFile,
): NamedProcesses {
  const { config, file } = configuration;
  const procfile = readProcfile(tree, root);
  const named = config.processes
    ? Object.entries(config.processes).map(([name, command]) => ({ name, command, evidence: file }))
    : procfile;
  const usable = named.filter((entry) => !DEVELOPMENT.test(entry.command)).map(strip);
  const processes = usable.filter(({ name, command }) => name !== 'release' && command !== '');
  const release =
    usable.find((entry) => entry.name === 'release') ??
    procfile
      .filter((entry) => entry.name === 'release' && !DEVELOPMENT.test(entry.command))
      .map(strip)[0];
  const once = [...new Set(usable.flatMap((entry) => entry.once))];
  const configured = config.release?.map((command) => withoutPlatformSteps(command));
  const releaseCommands =
    configured?.flatMap((stripped) => [...stripped.once, stripped.command]) ??
    (release || once.length > 0 ? [...once, ...(release ? [release.command] : [])] : undefined);
  return {
    processes: Object.fromEntries(
      processes.map(({ name, command }) => [name, processOf(name, command)]),
    ),
    releaseCommands: releaseCommands?.filter((command) => command !== ''),
    findings: [
      ...usable.flatMap(findingsOf),
      ...named
        .filter((entry) => DEVELOPMENT.test(entry.command))
        .map(({ name, command, evidence }) =>
          finding('process', `${name} left out`, `"${command}" is for development`, evidence),
        ),
    ],
  };
}

interface StrippedEntry {
  readonly name: string;
  readonly command: string;
  readonly evidence: string;
  readonly leftOut: readonly string[];
  readonly once: readonly string[];
  readonly replaced: readonly string[];
}

function strip(entry: Omit<StrippedEntry, 'leftOut' | 'once' | 'replaced'>): StrippedEntry {
  const stripped = withoutPlatformSteps(entry.command);
  const rebound = entry.name === 'web' ? listeningOnOurPort(stripped.command) : undefined;
  return { ...entry, ...stripped, ...rebound, replaced: rebound?.replaced ?? [] };
}

function findingsOf({
  name,
  command,
  evidence,
  leftOut,
  once,
  replaced,
}: StrippedEntry): Finding[] {
  const rule = name === 'release' ? 'release' : 'process';
  return [
    ...(command === ''
      ? []
      : [finding(rule, `${name}: ${command}`, 'named by the project', evidence)]),
    ...leftOut.map((step) =>
      finding(rule, `${name} without "${step}"`, 'the platform does that itself, once', evidence),
    ),
    ...replaced.map((flag) =>
      finding(rule, `${name} without "${flag}"`, 'the platform asks on its own port', evidence),
    ),
    ...once.map((step) =>
      finding('release', step, `from ${name}: once, before any instance starts`, evidence),
    ),
  ];
}

function readProcfile(tree: SourceTree, root: string): (ProcfileEntry & { evidence: string })[] {
  for (const path of new Set([under(root, 'Procfile'), 'Procfile'])) {
    const text = tree.read(path);
    if (text === undefined) continue;
    return parseProcfile(text, path).map((entry) => ({
      ...entry,
      evidence: `${path}:${entry.line}`,
    }));
  }
  return [];
}

function processOf(name: string, command: string): ProcessType {
  return { kind: kindOf(name, command), command: command };
}

function kindOf(name: string, command: string): ProcessKind {
  if (name === 'web') return 'web';
  return SINGLETON_NAMES.has(name) || /\bcelery\b.*\bbeat\b/.test(command) ? 'singleton' : 'worker';
}
