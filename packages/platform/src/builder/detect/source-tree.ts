// The project's files as the rules of detection see them: read-only, text, bounded. Rules are pure
// functions over it, so they are tested with trees in memory.
import { closeSync, constants, fstatSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path/posix';
import { decodeText } from './text-encoding.ts';

export interface TreeEntry {
  readonly name: string;
  readonly kind: 'file' | 'directory';
}

/** Paths are relative to the root of the source, without leading slash; '' is the root. */
export interface SourceTree {
  /** Undefined when there is no such regular file, or it is larger than a source file should be. */
  read(path: string): string | undefined;
  /** By name; empty when there is no such directory. Links are left out. */
  list(directory: string): readonly TreeEntry[];
}

const FILE_BYTES_MAX = 4 * 1024 * 1024;
const WALK_ENTRIES_MAX = 5_000;
/** Directories whose contents are not the project. */
const FOREIGN = new Set(['node_modules', 'venv', 'env', '__pycache__', 'site-packages']);

/** Only for a tree that no other process can change: a source just unpacked. */
export function diskTree(root: string): SourceTree {
  return {
    read: (path) => readRegularFile(join(root, path)),
    list: (directory) => listDirectory(join(root, directory)),
  };
}

function readRegularFile(path: string): string | undefined {
  let file: number;
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return undefined;
  }
  try {
    const status = fstatSync(file);
    if (!status.isFile() || status.size > FILE_BYTES_MAX) return undefined;
    return decodeText(readFileSync(file));
  } finally {
    closeSync(file);
  }
}

function listDirectory(path: string): TreeEntry[] {
  try {
    const entries = readdirSync(path, { withFileTypes: true });
    return sorted(
      entries
        .filter((entry) => entry.isFile() || entry.isDirectory())
        .map((entry) => ({ name: entry.name, kind: entry.isFile() ? 'file' : 'directory' })),
    );
  } catch {
    return [];
  }
}

export function memoryTree(files: Readonly<Record<string, string>>): SourceTree {
  const directories = new Set(['']);
  for (const path of Object.keys(files)) {
    for (let at = dirname(path); at !== '.'; at = dirname(at)) directories.add(at);
  }
  const inside = (directory: string) => (path: string) =>
    path !== '' && (dirname(path) === '.' ? '' : dirname(path)) === directory;
  const entry = (kind: TreeEntry['kind']) => (path: string) => ({
    name: path.slice(path.lastIndexOf('/') + 1),
    kind,
  });
  return {
    read: (path) => files[path],
    list: (directory) =>
      sorted([
        ...Object.keys(files).filter(inside(directory)).map(entry('file')),
        ...[...directories].filter(inside(directory)).map(entry('directory')),
      ]),
  };
}

function sorted(entries: TreeEntry[]): TreeEntry[] {
  return entries.sort((one, other) => (one.name < other.name ? -1 : 1));
}

/** `a/b` from 'a' and 'b'; 'b' from '' and 'b'. */
export function under(directory: string, name: string): string {
  return directory === '' ? name : `${directory}/${name}`;
}

/** Where a path of the source lies in a sandbox: `/app` for the top, `/app/site` for `site`. */
export function insideApp(path: string): string {
  return under('/app', path).replace(/\/$/, '');
}

export function hasFile(tree: SourceTree, path: string): boolean {
  const at = path.lastIndexOf('/');
  const name = path.slice(at + 1);
  const entries = tree.list(at < 0 ? '' : path.slice(0, at));
  return entries.some((entry) => entry.kind === 'file' && entry.name === name);
}

/** Files below `directory`, shallow ones first, foreign and hidden directories left out. */
export function walkFiles(tree: SourceTree, directory: string, depthMax: number): string[] {
  const files: string[] = [];
  let level = [directory];
  for (let depth = 0; depth <= depthMax && level.length > 0; depth += 1) {
    const next: string[] = [];
    for (const at of level) {
      for (const entry of tree.list(at)) {
        if (files.length + next.length >= WALK_ENTRIES_MAX) return files;
        const path = under(at, entry.name);
        if (entry.kind === 'file') files.push(path);
        else if (!FOREIGN.has(entry.name) && !entry.name.startsWith('.')) next.push(path);
      }
    }
    level = next;
  }
  return files;
}

/** `file:line` of the first line that matches, in the order of `paths`. */
export function firstLine(
  tree: SourceTree,
  paths: readonly string[],
  pattern: RegExp,
): string | undefined {
  for (const path of paths) {
    const lines = (tree.read(path) ?? '').split('\n');
    const index = lines.findIndex((line) => pattern.test(line));
    if (index >= 0) return `${path}:${index + 1}`;
  }
  return undefined;
}
