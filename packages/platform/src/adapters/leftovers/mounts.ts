// Mounts and loop devices of an installation. Below the run directory all mounts are ours; below the
// data directory an operator may have put a disk, so only loop devices on our own files count.
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { readMountTable } from '../../lib/mount-table.ts';
import { runToExit } from '../../lib/run-command.ts';
import type { Mark } from './mark.ts';

const TIMEOUT_MS = 20_000;

export interface LoopDevice {
  readonly device: string;
  readonly file: string;
}

/** Deepest and latest first: in this order they can be unmounted. */
export async function findMounts(mark: Mark): Promise<string[]> {
  const [table, loops] = await Promise.all([
    readMountTable(),
    findLoopDevices(mark),
  ]);
  const devices = new Set(loops.map((loop) => loop.device));
  return table
    .filter(
      ({ mountPoint, source }) =>
        mountPoint === mark.runDirectory ||
        isBelow(mountPoint, mark.runDirectory) ||
        devices.has(source),
    )
    .map(({ mountPoint }) => mountPoint)
    .reverse();
}

export async function unmountAll(mark: Mark): Promise<void> {
  for (const mountPoint of await findMounts(mark)) {
    const plain = await runToExit(['umount', mountPoint], { timeoutMs: TIMEOUT_MS });
    // Busy: out of sight at once, gone with its last user.
    if (plain.exitCode !== 0) {
      await runToExit(['umount', '--lazy', mountPoint], { timeoutMs: TIMEOUT_MS });
    }
  }
}

export async function findLoopDevices(mark: Mark): Promise<LoopDevice[]> {
  const names = (await readdir('/sys/block')).filter((name) => name.startsWith('loop'));
  const devices = await Promise.all(
    names.map(async (name) => {
      const path = join('/sys/block', name, 'loop', 'backing_file');
      const file = (await readFile(path, 'utf8').catch(() => '')).trimEnd();
      return { device: `/dev/${name}`, file: file.replace(/ \(deleted\)$/, '') };
    }),
  );
  return devices.filter(
    ({ file }) => isBelow(file, mark.dataDirectory) || isBelow(file, mark.runDirectory),
  );
}

export async function detachLoopDevices(mark: Mark): Promise<void> {
  for (const { device } of await findLoopDevices(mark)) {
    await runToExit(['losetup', '--detach', device], { timeoutMs: TIMEOUT_MS });
  }
}

function isBelow(path: string, directory: string): boolean {
  return path.startsWith(`${directory}/`);
}
