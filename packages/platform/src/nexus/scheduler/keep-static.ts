// Pages of an older release ask for its static files after the switch. Files with a hash in their
// name are kept for as long as their release is; the static server looks there second.
import { constants } from 'node:fs';
import { copyFile, mkdir, readdir, realpath, rm, stat, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { LIMITS } from '../../domain/limits.ts';
import type { BuiltImage } from '../../domain/release.ts';
import { keptStatic } from '../../ports/paths.ts';
import type { NexusContext } from '../context.ts';
import type { AppDocument } from '../documents/schemas.ts';

/** `app.3f2a9c1b7d04.css`, as ManifestStaticFilesStorage and bundlers name files. */
const HASHED_NAME = /[.-][0-9a-zA-Z_-]*[0-9a-f]{8,}\.[a-z0-9.]+$/;
const FILES_MAX = 50_000;

export async function keepStaticFiles(
  context: NexusContext,
  app: AppDocument,
  image: BuiltImage,
): Promise<void> {
  const mapped = (image.staticRoutes ?? []).filter(({ file }) => file === undefined);
  const directories = [image.staticFiles, ...mapped].flatMap((one) => one?.directory ?? []);
  if (directories.length === 0) return;
  const mounted = await realpath(await context.imageStore.mount(image.layers.code.sha256));
  const target = join(keptStatic(context.paths), String(app.id));
  const now = new Date(context.clock.nowMs());
  await mkdir(target, { recursive: true, mode: 0o755 });
  for (const source of directories.map((directory) => join(mounted, directory))) {
    for (const name of await hashedFiles(source)) await keepFile(source, target, name, now);
  }
  await dropOld(context, app, target);
}

/** Regular files only: an image may hold links, also on the way, and this runs as root. */
async function hashedFiles(directory: string): Promise<string[]> {
  if ((await realpath(directory).catch(() => '')) !== directory) return [];
  // A mapping may be of what is not there.
  const listing = readdir(directory, { recursive: true, withFileTypes: true });
  const entries = await listing.catch(() => []);
  return entries
    .filter((entry) => entry.isFile() && HASHED_NAME.test(entry.name))
    .slice(0, FILES_MAX)
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1));
}

async function keepFile(source: string, target: string, name: string, now: Date): Promise<void> {
  const kept = join(target, name);
  await mkdir(dirname(kept), { recursive: true, mode: 0o755 });
  try {
    await copyFile(join(source, name), kept, constants.COPYFILE_EXCL);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  await utimes(kept, now, now);
}

/** Goes by the time of the last release that had the file. */
async function dropOld(context: NexusContext, app: AppDocument, target: string): Promise<void> {
  const releases = (await context.repository.releases(app.id)).toSorted(
    (a, b) => b.number - a.number,
  );
  const oldestKept = releases[LIMITS.releases.onDisk - 1];
  if (!oldestKept) return;
  const entries = await readdir(target, { recursive: true, withFileTypes: true });
  for (const entry of entries.filter((one) => one.isFile())) {
    const path = join(entry.parentPath, entry.name);
    if ((await stat(path)).mtimeMs < oldestKept.createdAtMs) await rm(path, { force: true });
  }
}
