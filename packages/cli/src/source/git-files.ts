// The files of a git work tree: what is committed or staged, and what is new and not ignored.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const GIT_TIMEOUT_MS = 60_000;
const LISTING_BYTES_MAX = 256 * 1024 * 1024;

// The tree may belong to another user (root deploys what a developer checked out), and its own
// configuration must then not be able to run anything: fsmonitor is what ls-files would start.
const SAFE = ['-c', 'safe.directory=*', '-c', 'core.fsmonitor=false'];

export interface GitFiles {
  /** Paths relative to the folder; a submodule or nested work tree is one path, of a directory. */
  readonly committed: string[];
  readonly added: string[];
}

/** Undefined when the folder is in no work tree, is itself ignored by one, or there is no git. */
export async function listGitFiles(folder: string): Promise<GitFiles | undefined> {
  try {
    const inside = await git(folder, ['rev-parse', '--is-inside-work-tree']);
    if (inside.trim() !== 'true') return undefined;
    const [committed, added] = await Promise.all([
      git(folder, ['ls-files', '-z', '--cached']),
      git(folder, ['ls-files', '-z', '--others', '--exclude-standard']),
    ]);
    const files = { committed: split(committed), added: split(added) };
    return files.committed.length + files.added.length === 0 ? undefined : files;
  } catch {
    return undefined;
  }
}

async function git(folder: string, args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)('git', [...SAFE, '-C', folder, ...args], {
    timeout: GIT_TIMEOUT_MS,
    maxBuffer: LISTING_BYTES_MAX,
    encoding: 'utf8',
  });
  return stdout;
}

/** An unmerged file is listed once per side. */
function split(listing: string): string[] {
  const paths = listing.split('\0').filter((path) => path !== '');
  return [...new Set(paths.map((path) => path.replace(/\/$/, '')))];
}
