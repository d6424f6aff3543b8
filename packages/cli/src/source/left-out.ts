// What is never part of a source, and what is not unless it was committed: secrets, caches,
// virtual environments. `.tandemignore` (form of .gitignore) adds to it, `!name` takes back.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ignoreModule, { type Ignore } from 'ignore';
import { LINK_DIRECTORY } from '../link/link-file.ts';

// CommonJS: the function is the `default` of what is imported by default.
const ignore = ignoreModule.default;

export const IGNORE_FILE = '.tandemignore';

/** Not even when committed: other tools' own records, and bytecode, which the build makes. */
const NEVER = new Set(['.git', '.hg', '.svn', '__pycache__', LINK_DIRECTORY]);

/** Unless git says that they are part of the project. */
const UNLESS_COMMITTED = [
  '.env',
  '.env.*',
  '!.env.example',
  '!.env.sample',
  '!.env.template',
  '!.env.dist',
  '*.pyc',
  'node_modules/',
  'db.sqlite3',
  'db.sqlite3-*',
  '.tox/',
  '.nox/',
  '.mypy_cache/',
  '.pytest_cache/',
  '.ruff_cache/',
  '.DS_Store',
];

/** Worth a word when they stay behind, because the app may miss them. */
const NOTEWORTHY = /^(\.env(\..*)?|db\.sqlite3|node_modules)$/;

export function isNeverSent(name: string): boolean {
  return NEVER.has(name);
}

export function isNoteworthy(name: string): boolean {
  return NOTEWORTHY.test(name);
}

export interface LeaveOut {
  /** `path` relative to the root, with a slash at the end for a directory. */
  (path: string, committed: boolean): boolean;
}

export function leaveOutRules(root: string): LeaveOut {
  const own = readIgnoreFile(join(root, IGNORE_FILE)) ?? ignore();
  const withDefaults = ignore().add(UNLESS_COMMITTED).add(own);
  return (path, committed) => (committed ? own : withDefaults).ignores(path);
}

export function readIgnoreFile(path: string): Ignore | undefined {
  try {
    return ignore().add(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}
