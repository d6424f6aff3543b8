// Mounts and loop devices of an installation. Below the run directory all mounts are ours; below the
// data directory an operator may have put a disk, so only loop devices on our own files count.
//
// Installations may share the bytes of a layer (hard links), and the kernel then one loop device: who
// mounts it elsewhere keeps it, and it is no leftover of ours.
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readMountTable, type MountEntry } from '../../lib/mount-table.ts';
import { runToExit } from '../../lib/run-command.ts';
import type { Mark } from './mark.ts';

const TIMEOUT_MS = 20_000;
const DETACH_TIMEOUT_MS = 10_000;
const DETACH_POLL_MS = 100;

export interface LoopDevice {
  readonly device: string;
  readonly file: string;
}

/** Deepest and latest first: in this order they can be unmounted. */
export async function findMounts(mark: Mark): Promise<string[]> {
  const [table, loops] = await Promise.all([readMountTable(), loopDevicesOf(mark)]);
  const devices = new Set(loops.map((loop) => loop.device));
  const isOurs = ({ mountPoint, source }: MountEntry): boolean =>
    mountPoint === mark.runDirectory ||
    isBelow(mountPoint, mark.runDirectory) ||
    (isBelow(mountPoint, mark.dataDirectory) && devices.has(source));
  return table
    .filter(isOurs)
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

/** Without those that somebody else has mounted. */
export async function findLoopDevices(mark: Mark): Promise<LoopDevice[]> {
  const [table, loops] = await Promise.all([readMountTable(), loopDevicesOf(mark)]);
  const isElsewhere = ({ mountPoint }: MountEntry): boolean =>
    !isBelow(mountPoint, mark.runDirectory) && !isBelow(mountPoint, mark.dataDirectory);
  const shared = new Set(table.filter(isElsewhere).map(({ source }) => source));
  return loops.filter(({ device }) => !shared.has(device));
}

async function loopDevicesOf(mark: Mark): Promise<LoopDevice[]> {
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

/** A namespace of a sandbox that is just starting elsewhere may hold one for a moment: waits a bit. */
export async function detachLoopDevices(mark: Mark): Promise<void> {
  const deadlineMs = performance.now() + DETACH_TIMEOUT_MS;
  for (;;) {
    const devices = await findLoopDevices(mark);
    for (const { device } of devices) {
      await runToExit(['losetup', '--detach', device], { timeoutMs: TIMEOUT_MS });
    }
    if (devices.length === 0 || performance.now() > deadlineMs) return;
    await sleep(DETACH_POLL_MS);
  }
}

function isBelow(path: string, directory: string): boolean {
  return path.startsWith(`${directory}/`);
}
