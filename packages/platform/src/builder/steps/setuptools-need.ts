// Virtualenvs used to hold setuptools, so packages import its pkg_resources without asking for it, and
// Python 3.12 dropped distutils, which setuptools has too. Whether this app's packages or sources do.
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Finding } from '../../domain/release.ts';
import { writeFileAtomic } from '../../lib/atomic-file.ts';
import { readUntrustedFile } from '../../lib/read-untrusted-file.ts';
import { runToExit } from '../../lib/run-command.ts';
import { buildDirectory } from '../../ports/paths.ts';
import type { BuildSession } from '../build-session.ts';
import type { BuilderOptions } from '../collaborators.ts';
import { finding } from '../detect/evidence.ts';
import { compareVersions, parseVersion } from '../detect/version-specifier.ts';
import type { Dependencies } from './dependency-layer.ts';
import { versionIn, type Lock } from './lock.ts';
import type { Toolchain } from './toolchain.ts';

const SEARCH_TIMEOUT_MS = 60_000;
const FILES_MAX = 500;
const FILE_BYTES_MAX = 4 * 1024 * 1024;
const DISTUTILS_UNTIL = [3, 12];
const PKG_RESOURCES_UNTIL = [81];
/** Metadata of a build, not what is imported at run time. */
const NOT_RUN = ['--exclude=setup.py', '--exclude-dir=node_modules', '--exclude-dir=.git'];

export interface SetuptoolsQuestion {
  readonly lock: Lock | undefined;
  readonly dependencies: Dependencies | undefined;
  readonly toolchain: Toolchain;
}

/** Set when it must be added. */
export async function setuptoolsNeed(
  options: BuilderOptions,
  session: BuildSession,
  { lock, dependencies, toolchain }: SetuptoolsQuestion,
): Promise<Finding | undefined> {
  if (bringsPkgResources(versionIn(lock, 'setuptools'))) return undefined;
  const { modules, pattern } = wanted(toolchain);
  // In any case, so that the answer is kept for the next build.
  const installed = await inDependencies(options, session, pattern, dependencies);
  const place = installed ?? (await importedIn(session.disk.source, pattern, session.signal));
  if (place === undefined) return undefined;
  return finding('setuptools', 'added', `${modules} is imported and nothing brings it`, place);
}

/** The newest have everything but pkg_resources. */
export function bringsPkgResources(version: string | undefined): boolean {
  if (version === undefined) return false;
  return compareVersions(parseVersion(version), PKG_RESOURCES_UNTIL) < 0;
}

function wanted({ minor }: Toolchain): { modules: string; pattern: string } {
  const isGone = compareVersions(parseVersion(minor), DISTUTILS_UNTIL) >= 0;
  const modules = isGone ? ['pkg_resources', 'distutils'] : ['pkg_resources'];
  const either = modules.join('|');
  const pattern = `^[ \t]*((import|from)[ \t]+(${either})\\b|__import__\\(.(${either})\\b)`;
  return { modules: modules.join(' or '), pattern };
}

/** Looked for once, when the packages were installed; an older layer may well need it. */
async function inDependencies(
  options: BuilderOptions,
  session: BuildSession,
  pattern: string,
  dependencies: Dependencies | undefined,
): Promise<string | undefined> {
  if (dependencies === undefined) return undefined;
  const kept = join(buildDirectory(options.paths), 'setuptools', dependencies.key);
  if (dependencies.directory === undefined) {
    const known = await readFile(kept, 'utf8').catch(() => 'an earlier install');
    return known === '' ? undefined : known;
  }
  const found = await importedIn(dependencies.directory, pattern, session.signal);
  await mkdir(dirname(kept), { recursive: true, mode: 0o700 });
  await writeFileAtomic(kept, found ?? '');
  return found;
}

/** `path:line` of an import that nothing guards; follows no links. */
async function importedIn(
  directory: string,
  pattern: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const grep = ['grep', '-rlE', '-m1', '--include=*.py', ...NOT_RUN, '-e', pattern, '.'] as const;
  const { stdout } = await runToExit(grep, {
    timeoutMs: SEARCH_TIMEOUT_MS,
    cwd: directory,
    signal,
  });
  const paths = stdout.split('\n').filter(Boolean).sort();
  for (const path of paths.slice(0, FILES_MAX)) {
    const text = await readUntrustedFile(join(directory, path), FILE_BYTES_MAX);
    const line = unguardedLine(text ?? '', new RegExp(pattern));
    if (line > 0) return `${path.replace(/^\.\//, '')}:${line}`;
  }
  return undefined;
}

/** Right after `try:` it can do without. 0 for none. */
export function unguardedLine(text: string, pattern: RegExp): number {
  const lines = text.split('\n');
  const index = lines.findIndex(
    (line, at) => pattern.test(line) && !/^\s*try\s*:/.test(lines[at - 1] ?? ''),
  );
  return index + 1;
}
