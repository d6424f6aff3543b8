// Packs directory trees into one SquashFS image. The trees may be hostile: no link is followed, and
// what could give a right (owners, setuid, devices) is dropped. Equal trees give equal bytes.
import { lstat, mkdir, rmdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { runCommand } from './run-command.ts';

export interface SquashEntry {
  readonly directory: string;
  /** Where its content stands in the image, for example `/app`; '' or absent: at the root. */
  readonly prefix?: string;
  /** Paths inside `directory` that stay out: relative, no globs. */
  readonly exclude?: readonly string[];
}

export interface SquashOptions {
  /** Must not exist. Left in an unknown state when the call rejects. */
  readonly output: string;
  /** zstd, 1-22. Level 3 packs fourteen times faster than 15 and is a seventh larger. */
  readonly compressionLevel: number;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

const EXCLUDES_MAX = 10_000;

/**
 * Runs in a mount namespace of its own, where the trees are bind-mounted under their prefixes: no
 * copy, and nothing to unmount however it ends. Arguments: stage, (target, source)..., --, argv.
 */
const STAGE_AND_EXEC = `
stage=$1; shift
mount -t tmpfs -o mode=755,size=1m tandem-stage "$stage"
while [ "$1" != -- ]; do
  mkdir -p "$stage$1"
  mount --bind "$2" "$stage$1"
  shift 2
done
shift
exec "$@"`;

export async function squashTrees(
  entries: readonly [SquashEntry, ...SquashEntry[]],
  options: SquashOptions,
): Promise<void> {
  await assertPackable(entries);
  const excludes = (await Promise.all(entries.map(excludesOf))).flat();
  if (excludes.length > EXCLUDES_MAX) throw new Error(`more than ${EXCLUDES_MAX} paths to exclude`);
  const stage = `${options.output}.stage`;
  await mkdir(stage, { mode: 0o700 });
  try {
    const binds = entries.flatMap(({ directory, prefix = '' }) => [prefix, directory]);
    const pack = mksquashfs(stage, options, excludes);
    await runCommand(
      // Dies with us: an orphan would go on writing to a file that nobody waits for.
      [
        'setpriv',
        '--pdeathsig',
        'KILL',
        'unshare',
        '--mount',
        'sh',
        '-eu',
        '-c',
        STAGE_AND_EXEC,
      ].concat('sh', stage, binds, '--', pack) as [string, ...string[]],
      { timeoutMs: options.timeoutMs, ...(options.signal ? { signal: options.signal } : {}) },
    );
  } finally {
    await rmdir(stage);
  }
}

function mksquashfs(stage: string, options: SquashOptions, excludes: readonly string[]): string[] {
  const argv = ['mksquashfs', stage, options.output, '-noappend', '-no-progress', '-quiet'];
  argv.push('-exit-on-error', '-no-recovery');
  argv.push('-comp', 'zstd', '-Xcompression-level', String(options.compressionLevel));
  // Default is a quarter of the machine's memory.
  argv.push('-mem', '256M');
  // Nothing of when, where or by whom it was packed may reach the hash.
  argv.push('-mkfs-time', '0', '-all-time', '0', '-no-exports', '-root-mode', '755', '-all-root');
  // Attributes stay: without overlayfs opaque marks, what a layer deleted would reappear.
  argv.push('-xattrs');
  // All files become root's, and the app is not root: what it could read, it must still read.
  argv.push('-action', 'chmod(u+rwX,go+rX,a-s)@true');
  argv.push('-action', 'exclude@type(b)||type(p)||type(s)');
  if (excludes.length > 0) argv.push('-wildcards', '-e', ...excludes);
  return argv;
}

/** Patterns of mksquashfs: anchored at the root of the image, every special character quoted. */
async function excludesOf(entry: SquashEntry): Promise<string[]> {
  const paths = [...(entry.exclude ?? []), ...(await devicesIn(entry.directory))];
  return paths.map((path) => literalPattern(join(entry.prefix ?? '', path).replace(/^\//, '')));
}

export function literalPattern(path: string): string {
  return path.replace(/[^A-Za-z0-9/_-]/g, '\\$&');
}

/** Character devices except 0:0, which is how overlayfs marks a file that a layer deleted. */
async function devicesIn(directory: string): Promise<string[]> {
  const argv = ['find', directory, '-xdev', '-type', 'c', '-print0'] as const;
  const { stdout } = await runCommand([...argv], { timeoutMs: 60_000 });
  const paths = stdout.split('\0').filter((path) => path !== '');
  if (paths.length > EXCLUDES_MAX) throw new Error(`${directory} holds ${paths.length} devices`);
  const stats = await Promise.all(paths.map((path) => lstat(path)));
  return paths.filter((_, i) => stats[i]?.rdev !== 0).map((path) => relative(directory, path));
}

async function assertPackable(entries: readonly SquashEntry[]): Promise<void> {
  for (const { directory, prefix = '', exclude = [] } of entries) {
    if (!/^(\/[A-Za-z0-9._-]+)*$/.test(prefix) || prefix.split('/').includes('..')) {
      throw new Error(`${prefix} is not a prefix like /app`);
    }
    if (exclude.some((path) => path.startsWith('/') || path.split('/').includes('..'))) {
      throw new Error(`a path to exclude from ${directory} leaves it`);
    }
    if (!(await lstat(directory)).isDirectory()) throw new Error(`${directory} is not a directory`);
  }
  const prefixes = entries.map(({ prefix = '' }) => `${prefix}/`);
  const nested = prefixes.some((one, i) => prefixes.some((o, j) => i !== j && o.startsWith(one)));
  if (nested) throw new Error(`prefixes overlap: ${prefixes.join(' ')}`);
}
