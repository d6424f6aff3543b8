// The files of a source folder, sorted, so that equal trees give equal archives. In a git work
// tree git decides what is part of it; elsewhere a walk that honours .gitignore does.
import { lstatSync, readdirSync, readlinkSync, type Stats } from 'node:fs';
import { basename, dirname, join, posix } from 'node:path';
import { TandemError, UPLOAD_LIMITS } from '@tandem/protocol';
import type { Ignore } from 'ignore';
import { listGitFiles } from './git-files.ts';
import {
  isNeverSent,
  isNoteworthy,
  leaveOutRules,
  readIgnoreFile,
  type LeaveOut,
} from './left-out.ts';

export interface SourceFile {
  /** Relative to the root, with slashes. */
  readonly path: string;
  readonly absolute: string;
  readonly sizeBytes: number;
  readonly executable: boolean;
  /** Target of a symbolic link, as it stands. */
  readonly link?: string;
}

export interface Source {
  readonly root: string;
  readonly files: readonly SourceFile[];
  readonly sizeBytes: number;
  /** Left behind though the app may miss them. */
  readonly leftOut: readonly string[];
  /** Submodules that are not checked out. */
  readonly emptySubmodules: readonly string[];
}

export async function collectSource(root: string): Promise<Source> {
  assertDirectory(root);
  const collector = new Collector(root);
  await collector.tree('');
  return collector.finish();
}

function assertDirectory(root: string): void {
  const stats = lstatOrUndefined(root);
  if (stats?.isDirectory() || (stats?.isSymbolicLink() && readableDirectory(root))) return;
  throw new TandemError('NOT_FOUND', `There is no folder ${root}.`, {
    hint: 'tandem deploy FOLDER',
  });
}

class Collector {
  readonly #root: string;
  readonly #leaveOut: LeaveOut;
  readonly #files: SourceFile[] = [];
  readonly #leftOut = new Set<string>();
  readonly #emptySubmodules: string[] = [];
  readonly #environments = new Map<string, boolean>();

  constructor(root: string) {
    this.#root = root;
    this.#leaveOut = leaveOutRules(root);
  }

  /** One work tree, or one directory outside of any. `prefix` is empty or ends with a slash. */
  async tree(prefix: string): Promise<void> {
    const listed = await listGitFiles(join(this.#root, prefix));
    if (!listed) return await this.#walk(prefix, []);
    for (const path of listed.committed) await this.#gitPath(prefix + path, true);
    for (const path of listed.added) await this.#gitPath(prefix + path, false);
  }

  finish(): Source {
    this.#files.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
    const sizeBytes = this.#files.reduce((sum, file) => sum + file.sizeBytes, 0);
    return {
      root: this.#root,
      files: this.#files,
      sizeBytes,
      leftOut: [...this.#leftOut].sort(),
      emptySubmodules: this.#emptySubmodules,
    };
  }

  async #gitPath(path: string, committed: boolean): Promise<void> {
    if (path.split('/').some(isNeverSent)) return;
    if (this.#isLeftOut(path, committed)) return;
    if (!committed && this.#isInEnvironment(path)) return;
    assertSendable(path);
    const stats = lstatOrUndefined(join(this.#root, path));
    // Deleted, and the deletion not yet committed.
    if (!stats) return;
    if (stats.isDirectory()) await this.#otherTree(path);
    else this.#add(path, stats);
  }

  /** A submodule that is not checked out has no .git: git would answer for the tree around it. */
  async #otherTree(path: string): Promise<void> {
    const absolute = join(this.#root, path);
    if (lstatOrUndefined(join(absolute, '.git'))) return await this.tree(`${path}/`);
    if (readdirSync(absolute).length === 0) this.#emptySubmodules.push(path);
    else await this.#walk(`${path}/`, []);
  }

  async #walk(prefix: string, above: readonly ScopedIgnore[]): Promise<void> {
    const directory = join(this.#root, prefix);
    const own = readIgnoreFile(join(directory, '.gitignore'));
    const scopes = own ? [...above, { prefix, rules: own }] : above;
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      const path = prefix + entry.name;
      if (isNeverSent(entry.name)) continue;
      const shown = entry.isDirectory() ? `${path}/` : path;
      if (this.#isLeftOut(shown, false) || isIgnored(shown, scopes)) continue;
      assertSendable(path);
      if (!entry.isDirectory()) {
        const stats = lstatOrUndefined(join(this.#root, path));
        if (stats) this.#add(path, stats);
      } else if (!this.#isEnvironment(path)) await this.#walk(`${path}/`, scopes);
    }
  }

  #isLeftOut(path: string, committed: boolean): boolean {
    if (!this.#leaveOut(path, committed)) return false;
    const noteworthy = path.split('/').findIndex(isNoteworthy);
    if (noteworthy >= 0)
      this.#leftOut.add(
        path
          .split('/')
          .slice(0, noteworthy + 1)
          .join('/'),
      );
    return true;
  }

  /** A virtual environment, by the file that every tool puts there. */
  #isEnvironment(path: string): boolean {
    const known = this.#environments.get(path);
    if (known !== undefined) return known;
    const found = lstatOrUndefined(join(this.#root, path, 'pyvenv.cfg')) !== undefined;
    this.#environments.set(path, found);
    return found;
  }

  #isInEnvironment(path: string): boolean {
    for (let at = dirname(path); at !== '.'; at = dirname(at)) {
      if (this.#isEnvironment(at)) return true;
    }
    return false;
  }

  #add(path: string, stats: Stats): void {
    const absolute = join(this.#root, path);
    const executable = (stats.mode & 0o111) !== 0;
    if (stats.isSymbolicLink()) {
      const link = readlinkSync(absolute);
      assertLinkStaysInside(path, link);
      this.#files.push({ path, absolute, sizeBytes: 0, executable: true, link });
    } else if (stats.isFile()) {
      this.#files.push({ path, absolute, sizeBytes: stats.size, executable });
    }
    // Sockets, FIFOs and devices are no source; git cannot hold them either.
  }
}

interface ScopedIgnore {
  readonly prefix: string;
  readonly rules: Ignore;
}

/** The innermost .gitignore that says anything about the path decides. */
function isIgnored(path: string, scopes: readonly ScopedIgnore[]): boolean {
  for (const { prefix, rules } of scopes.toReversed()) {
    const verdict = rules.test(path.slice(prefix.length));
    if (verdict.ignored) return true;
    if (verdict.unignored) return false;
  }
  return false;
}

function assertSendable(path: string): void {
  const problem = path.includes('\ufffd')
    ? 'is not valid UTF-8'
    : Buffer.byteLength(path) > UPLOAD_LIMITS.pathBytesMax
      ? `is longer than ${UPLOAD_LIMITS.pathBytesMax} bytes`
      : undefined;
  if (problem === undefined) return;
  throw new TandemError('ARCHIVE_PATH_UNSAFE', `The name of a file ${problem}.`, {
    where: path,
    hint: 'Rename the file, or list its folder in .tandemignore.',
  });
}

function assertLinkStaysInside(path: string, link: string): void {
  const target = posix.join(posix.dirname(path), link);
  if (!posix.isAbsolute(link) && target !== '..' && !target.startsWith('../')) return;
  throw new TandemError(
    'ARCHIVE_LINK_UNSAFE',
    `The link ${basename(path)} points out of the folder, to ${link}.`,
    { where: path, hint: 'Copy the file into the folder, or list the link in .tandemignore.' },
  );
}

function lstatOrUndefined(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}

function readableDirectory(path: string): boolean {
  try {
    readdirSync(path);
    return true;
  } catch {
    return false;
  }
}
