// Removes what builds left that an agent did not finish. Layers that nothing refers to are the
// image store's affair.
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { LIMITS } from '../domain/limits.ts';
import { runToExit } from '../lib/run-command.ts';
import { buildDirectory, scratchFiles } from '../ports/paths.ts';
import { BUILD_PREFIX, diskId } from './build-session.ts';
import type { BuilderOptions } from './collaborators.ts';
import { wheelCache } from './steps/toolchain.ts';

const LOCKS_MAX = 1_000;
const DISK_USAGE_TIMEOUT_MS = 60_000;

export async function sweepBuilds(
  options: BuilderOptions,
  activeBuildIds: ReadonlySet<string>,
): Promise<void> {
  const active = [...activeBuildIds].map(diskId);
  // Other sandboxes are the runner's; of ours, those of an active build are still at work.
  await options.sandbox.sweep(
    (id) =>
      !id.startsWith(BUILD_PREFIX) || active.some((disk) => id.startsWith(`${disk.slice(0, 40)}`)),
  );
  for (const name of await readdir(scratchFiles(options.paths)).catch(() => [])) {
    const id = name.replace(/\..*$/, '');
    if (id.startsWith(BUILD_PREFIX) && !active.some((disk) => id.startsWith(disk))) {
      await options.scratch.remove(id);
    }
  }
  await forgetOldLocks(join(buildDirectory(options.paths), 'locks'));
  if (active.length === 0) await emptyLargeCache(wheelCache(options.paths));
}

/** No build is under way, so nobody reads it. It fills again from the index. */
async function emptyLargeCache(directory: string): Promise<void> {
  const { exitCode, stdout } = await runToExit(['du', '-s', '-B1', directory], {
    timeoutMs: DISK_USAGE_TIMEOUT_MS,
  });
  const sizeBytes = Number(stdout.split('\t')[0]);
  if (exitCode !== 0 || sizeBytes <= LIMITS.build.wheelCacheBytesMax) return;
  await rm(directory, { recursive: true, force: true });
}

async function forgetOldLocks(directory: string): Promise<void> {
  const names = await readdir(directory).catch(() => []);
  if (names.length <= LOCKS_MAX) return;
  const paths = names.map((name) => join(directory, name));
  const aged = await Promise.all(
    paths.map(async (path) => ({ path, usedMs: (await stat(path)).mtimeMs })),
  );
  const old = aged.toSorted((one, other) => one.usedMs - other.usedMs);
  for (const { path } of old.slice(0, names.length - LOCKS_MAX)) await rm(path, { force: true });
}
