// Virtualenvs used to hold setuptools, so packages import its pkg_resources without asking for it, and
// Python 3.12 dropped distutils, which setuptools has too. Whether this app's packages or sources do.
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Finding } from '../../domain/release.ts';
import { writeFileAtomic } from '../../lib/atomic-file.ts';
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
const DISTUTILS_UNTIL = [3, 12];
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
  if (versionIn(lock, 'setuptools') !== undefined) return undefined;
  const { modules, pattern } = wanted(toolchain);
  const { source } = session.disk;
  const place =
    (await importedIn(source, pattern, session.signal)) ??
    (await inDependencies(options, session, pattern, dependencies));
  if (place === undefined) return undefined;
  return finding('setuptools', 'added', `${modules} is imported and nothing brings it`, place);
}

function wanted({ minor }: Toolchain): { modules: string; pattern: string } {
  const isGone = compareVersions(parseVersion(minor), DISTUTILS_UNTIL) >= 0;
  const modules = isGone ? ['pkg_resources', 'distutils'] : ['pkg_resources'];
  const pattern = String.raw`^\s*(import|from)\s+(${modules.join('|')})\b`;
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

/** Path of one file, relative; follows no links. */
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
  const [first = ''] = stdout
    .split('\n')
    .toSorted((one, other) => one.length - other.length)
    .filter(Boolean);
  return first === '' ? undefined : first.replace(/^\.\//, '');
}
