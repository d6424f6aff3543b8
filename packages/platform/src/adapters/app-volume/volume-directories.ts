// The directories at the top of a volume. The top is root's and no sandbox sees it, so nothing that an
// app does can change which directory a name means. A new one is filled under another name first: it
// is there whole or not at all.
import { chmod, chown, lstat, mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { VolumeDirectory } from '../../domain/volume.ts';
import { runCommand } from '../../lib/run-command.ts';

/** No name of a directory begins with a dot. */
const UNFINISHED = '.unfinished';
const COPY_TIMEOUT_MS = 10 * 60_000;

export interface DirectoryOwner {
  readonly uid: number;
  /** Mounted layers, topmost first: immutable. */
  readonly layers: () => Promise<readonly string[]>;
}

export async function ensureDirectory(
  top: string,
  directory: VolumeDirectory,
  owner: DirectoryOwner,
): Promise<void> {
  const path = join(top, directory.name);
  if (!(await isThere(path))) await make(top, directory, owner);
  const mode = directory.isPublic ? 0o755 : 0o700;
  const status = await lstat(path);
  if ((status.mode & 0o777) !== mode) await chmod(path, mode);
}

async function make(
  top: string,
  { name, seed }: VolumeDirectory,
  { uid, layers }: DirectoryOwner,
): Promise<void> {
  const unfinished = join(top, UNFINISHED);
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { mode: 0o700 });
  const source = await findInLayers(await layers(), seed.path);
  const kind = source === undefined ? undefined : await lstat(source);
  // -d: links are copied, never followed.
  const copy = (from: string): Promise<unknown> =>
    run('cp', '-dR', '--preserve=mode,timestamps', '--', from, unfinished);
  if (source && seed.kind === 'directory' && kind?.isDirectory()) await copy(`${source}/.`);
  if (source && seed.kind === 'file' && kind?.isFile()) await copy(source);
  await run('chown', '-hR', `${uid}:${uid}`, '--', unfinished);
  // Of a layer all is root's and read-only for others; here the owner is to write.
  await run('chmod', '-R', 'u+rwX', '--', unfinished);
  await chown(unfinished, uid, uid);
  await rename(unfinished, join(top, name));
}

/** No step of the way may be a link: in a layer it points anywhere. */
async function findInLayers(layers: readonly string[], path: string): Promise<string | undefined> {
  for (const layer of layers) {
    const found = join(layer, path);
    if ((await leadsThere(layer, path)) && (await isThere(found))) return found;
  }
  return undefined;
}

async function leadsThere(layer: string, path: string): Promise<boolean> {
  let at = layer;
  for (const part of path.slice(1).split('/').slice(0, -1)) {
    at = join(at, part);
    if (!(await isDirectory(at))) return false;
  }
  return true;
}

async function isDirectory(path: string): Promise<boolean> {
  return await lstat(path).then(
    (status) => status.isDirectory(),
    () => false,
  );
}

async function isThere(path: string): Promise<boolean> {
  return await lstat(path).then(
    () => true,
    () => false,
  );
}

async function run(...argv: [string, ...string[]]): Promise<void> {
  await runCommand(argv, { timeoutMs: COPY_TIMEOUT_MS });
}
