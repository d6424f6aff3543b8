// Stacks of this machine: built once by mmdebstrap, kept as SquashFS files, shared by all
// installations. A stack counts once its description (NAME.json) stands beside the image.
import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { access, mkdir, open, readdir, readFile, rename, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { TandemError } from '@tandem/protocol';
import { syncDirectory, writeFileAtomic } from '../../lib/atomic-file.ts';
import { isDiskFull } from '../../lib/disk-full.ts';
import { FileLockTimeout, withFileLock } from '../../lib/file-lock.ts';
import { runCommand } from '../../lib/run-command.ts';
import { squashTrees } from '../../lib/squash-trees.ts';
import { KEYRING, machineMirror, mirrorAt } from './apt-mirror.ts';
import { finishTree } from './finish-tree.ts';
import { mmdebstrapArgv } from './mmdebstrap.ts';
import { DISTRIBUTION, recipeHash, recipeOf, SUITE, type StackKind } from './recipe.ts';

export interface Stack {
  readonly file: string;
  /** `debian-12-base-20261124-1a2b3c4d5e6f7081` */
  readonly name: string;
  readonly sha256: string;
  /** Day it was built: `20261124`. */
  readonly version: string;
}

export interface StackOptions {
  readonly cacheDirectory: string;
  /** One line for people at each step; building takes about half a minute. */
  readonly onProgress?: (line: string) => void;
  readonly signal?: AbortSignal;
  /** Base URL of a Debian archive; default: the machine's own, else the public one. */
  readonly mirror?: string;
}

const BUILD_TIMEOUT_MS = 15 * 60_000;
/** Others may be building all kinds before us. */
const LOCK_TIMEOUT_MS = 45 * 60_000;
/** Tree, packages and image of the largest one at once. */
const ROOM_BYTES_MIN = 1024 ** 3;
const SQUASH_TIMEOUT_MS = 180_000;
/** Level 15 would save 5 MB of 60 and cost a first start of the platform ten seconds. */
const COMPRESSION_LEVEL = 9;

/**
 * The stack of a kind, built when this machine has none of the current recipe. Callers on the whole
 * machine build one at a time. Throws STACK_FAILED, DISK_FULL or CANCELLED and leaves nothing.
 */
export async function ensureStack(kind: StackKind, options: StackOptions): Promise<Stack> {
  const { cacheDirectory } = options;
  const found = await findStack(kind, cacheDirectory);
  if (found) return found;
  await mkdir(cacheDirectory, { recursive: true, mode: 0o755 });
  const onWait = (): void => options.onProgress?.('Waiting for another build of a stack');
  const lock = { timeoutMs: LOCK_TIMEOUT_MS, onWait, ...signalOf(options) };
  try {
    return await withFileLock(join(cacheDirectory, '.lock'), lock, async (lockFd) => {
      await sweep(cacheDirectory);
      const found = await findStack(kind, cacheDirectory);
      if (found) return found;
      await assertRoom(cacheDirectory);
      return await build(kind, options, lockFd);
    });
  } catch (error) {
    throw explain(error, kind, options);
  }
}

/** The newest stack of the current recipe, if there is one. */
export async function findStack(kind: StackKind, directory: string): Promise<Stack | undefined> {
  const hash = recipeHash(kind, process.arch);
  const pattern = new RegExp(`^${DISTRIBUTION}-${kind}-\\d{8}-${hash}\\.json$`);
  const names = await readdir(directory).catch(() => []);
  const newestFirst = names
    .filter((name) => pattern.test(name))
    .sort()
    .reverse();
  for (const name of newestFirst) {
    const stack = await readStack(directory, name);
    if (stack) return stack;
  }
  return undefined;
}

async function readStack(directory: string, name: string): Promise<Stack | undefined> {
  try {
    const { sha256, version } = JSON.parse(await readFile(join(directory, name), 'utf8')) as Stack;
    const file = join(directory, name.replace(/json$/, 'squashfs'));
    await access(file);
    if (!/^[0-9a-f]{64}$/.test(sha256)) return undefined;
    return { file, name: name.replace(/\.json$/, ''), sha256, version };
  } catch {
    return undefined;
  }
}

/** Asked first: apt reports a full disk in many ways. */
async function assertRoom(directory: string): Promise<void> {
  const { bavail, bsize } = await statfs(directory);
  if (bavail * bsize >= ROOM_BYTES_MIN) return;
  throw new TandemError('DISK_FULL', `a stack needs 1 GiB in ${directory}`, {
    hint: `Free space there: df -h ${directory}`,
  });
}

/** With the lock held, every work directory is a leftover. */
async function sweep(directory: string): Promise<void> {
  const names = await readdir(directory);
  for (const name of names.filter((entry) => entry.startsWith('.building-'))) {
    await removeTree(join(directory, name));
  }
}

async function build(kind: StackKind, options: StackOptions, lockFd: number): Promise<Stack> {
  const say = options.onProgress ?? ((): void => undefined);
  const work = join(options.cacheDirectory, `.building-${randomBytes(6).toString('hex')}`);
  const image = join(work, 'image');
  await mkdir(work, { mode: 0o700 });
  try {
    await makeTree(join(work, 'tree'), kind, options, lockFd);
    say(`${kind} stack: packing`);
    const limits = { compressionLevel: COMPRESSION_LEVEL, timeoutMs: SQUASH_TIMEOUT_MS };
    const tree = { directory: join(work, 'tree') };
    await squashTrees([tree], { output: image, ...limits, ...signalOf(options) });
    return await publish(kind, image, options.cacheDirectory);
  } finally {
    await removeTree(work);
  }
}

async function makeTree(
  tree: string,
  kind: StackKind,
  options: StackOptions,
  lockFd: number,
): Promise<void> {
  const say = options.onProgress ?? ((): void => undefined);
  const recipe = recipeOf(kind);
  const mirror = options.mirror ? mirrorAt(options.mirror) : await machineMirror(SUITE);
  const timeout = AbortSignal.timeout(BUILD_TIMEOUT_MS);
  const signal = options.signal ? AbortSignal.any([options.signal, timeout]) : timeout;
  say(`${kind} stack: installing Debian packages from ${mirror.main}`);
  await runCommand(mmdebstrapArgv({ tree, recipe, mirror }), {
    timeoutMs: BUILD_TIMEOUT_MS,
    signal,
    // Until the last process of the build has ended nobody else may sweep its tree.
    inheritFds: [lockFd],
    onLine: (line) => {
      if (line.startsWith('I: ')) say(`${kind} stack: ${line.slice(3)}`);
    },
  });
  say(`${kind} stack: compiling bytecode`);
  await finishTree(tree, recipe, signal);
}

/** Image first, description last: a crash in between leaves a file that the next build replaces. */
async function publish(kind: StackKind, image: string, directory: string): Promise<Stack> {
  const sha256 = await sha256Of(image);
  const version = new Date().toISOString().slice(0, 10).replaceAll('-', '');
  const name = `${DISTRIBUTION}-${kind}-${version}-${recipeHash(kind, process.arch)}`;
  const file = join(directory, `${name}.squashfs`);
  await syncFile(image);
  await rename(image, file);
  await syncDirectory(directory);
  const description = { sha256, version };
  await writeFileAtomic(join(directory, `${name}.json`), JSON.stringify(description), 0o644);
  return { file, name, sha256, version };
}

async function sha256Of(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

async function syncFile(path: string): Promise<void> {
  const file = await open(path, 'r');
  await file.sync().finally(() => file.close());
}

/** Retries: processes that were killed a moment ago may still add files. */
async function removeTree(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
}

const signalOf = ({ signal }: StackOptions): { signal?: AbortSignal } => (signal ? { signal } : {});

function explain(error: unknown, kind: StackKind, options: StackOptions): TandemError {
  const { cacheDirectory, signal } = options;
  if (error instanceof TandemError) return error;
  if (signal?.aborted) return new TandemError('CANCELLED', `The ${kind} stack was not built.`);
  if (isDiskFull(error)) {
    return new TandemError('DISK_FULL', `No space for the ${kind} stack in ${cacheDirectory}`, {
      hint: `Free 1 GB there: df -h ${cacheDirectory}`,
      cause: error,
    });
  }
  const what = error instanceof Error ? error.message : String(error);
  return new TandemError('STACK_FAILED', `The ${kind} stack could not be built: ${what}`, {
    hint: hintFor(error),
    cause: error,
  });
}

function hintFor(error: unknown): string {
  if (error instanceof FileLockTimeout) return `See who holds it: fuser -v ${error.path}`;
  return `Check that the mirror answers and ${KEYRING} exists (package debian-archive-keyring).`;
}
