// Mounts and loop devices of an installation. Below the run directory all mounts are ours; below the
// data directory an operator may have put a disk, so only loop devices on our own files count.
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { runToExit } from '../../lib/run-command.ts';
import type { Mark } from './mark.ts';

const TIMEOUT_MS = 20_000;

export interface LoopDevice {
  readonly device: string;
  readonly file: string;
}

/** Deepest and latest first: in this order they can be unmounted. */
export async function findMounts(mark: Mark): Promise<string[]> {
  const [text, loops] = await Promise.all([
    readFile('/proc/self/mountinfo', 'utf8'),
    findLoopDevices(mark),
  ]);
  const devices = new Set(loops.map((loop) => loop.device));
  return parseMountInfo(text)
    .filter(
      ({ mountPoint, source }) => isBelow(mountPoint, mark.runDirectory) || devices.has(source),
    )
    .map(({ mountPoint }) => mountPoint)
    .reverse();
}

/** proc(5): the mount point is field 5, the source the second after the dash. */
export function parseMountInfo(text: string): { mountPoint: string; source: string }[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [before = '', after = ''] = line.split(' - ');
      return {
        mountPoint: unescapeOctal(before.split(' ')[4] ?? ''),
        source: unescapeOctal(after.split(' ')[1] ?? ''),
      };
    });
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

function unescapeOctal(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(parseInt(octal, 8)),
  );
}
