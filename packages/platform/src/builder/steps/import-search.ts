// Who imports a module, found by grep in what is installed and in the source.
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { writeFileAtomic } from '../../lib/atomic-file.ts';
import { readUntrustedFile } from '../../lib/read-untrusted-file.ts';
import { runToExit } from '../../lib/run-command.ts';
import { buildDirectory } from '../../ports/paths.ts';
import type { BuildSession } from '../build-session.ts';
import type { BuilderOptions } from '../collaborators.ts';
import type { Dependencies } from './dependency-layer.ts';

const SEARCH_TIMEOUT_MS = 60_000;
const FILES_MAX = 500;
const FILE_BYTES_MAX = 4 * 1024 * 1024;
/** Metadata of a build, not what is imported at run time. */
const NOT_RUN = ['--exclude=setup.py', '--exclude-dir=node_modules', '--exclude-dir=.git'];

export interface ImportSearch {
  /** Of the module that is looked for: answers are kept below it. */
  readonly name: string;
  readonly pattern: string;
  /** Relative to the virtualenv; '.' for all of it. */
  readonly directory: string;
}

/** Pattern of an import of one of these modules. */
export function importOf(modules: readonly string[]): string {
  const either = modules.join('|');
  return `^[ \t]*((import|from)[ \t]+(${either})\\b|__import__\\(.(${either})\\b)`;
}

/** Looked for once, when the packages were installed; an older layer may well need it. */
export async function importedByDependencies(
  options: BuilderOptions,
  session: BuildSession,
  { name, pattern, directory }: ImportSearch,
  dependencies: Dependencies | undefined,
): Promise<string | undefined> {
  if (dependencies === undefined) return undefined;
  const kept = join(buildDirectory(options.paths), name, dependencies.key);
  if (dependencies.directory === undefined) {
    const known = await readFile(kept, 'utf8').catch(() => 'an earlier install');
    return known === '' ? undefined : known;
  }
  const { signal } = session;
  const found = await importedIn(dependencies.directory, { pattern, directory, signal });
  await mkdir(dirname(kept), { recursive: true, mode: 0o700 });
  await writeFileAtomic(kept, found ?? '');
  return found;
}

/** `path:line` of an import that nothing guards; follows no links. */
export async function importedIn(
  root: string,
  search: { readonly pattern: string; readonly directory: string; readonly signal: AbortSignal },
): Promise<string | undefined> {
  const { pattern, directory, signal } = search;
  const which = ['-rlE', '-m1', '--include=*.py', ...NOT_RUN, '-e', pattern, directory];
  const options = { timeoutMs: SEARCH_TIMEOUT_MS, cwd: root, signal };
  const { stdout } = await runToExit(['grep', ...which], options);
  const paths = stdout.split('\n').filter(Boolean).sort();
  for (const path of paths.slice(0, FILES_MAX)) {
    const text = await readUntrustedFile(join(root, path), FILE_BYTES_MAX);
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
