// Scratch disks of one installation by name: where each lies and is mounted.
import { mkdir, rm } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { mountPointAt, ReadyDisks } from './ready-disks.ts';
import { createScratchDisk, removeScratchDisk, sweepScratchDisks } from './scratch-disk.ts';
import type { ScratchDisk } from './scratch-disk.ts';

export interface ScratchDisks {
  /** Empty, writable for every uid that gets at it; resolves to where it is mounted. */
  create(id: string, sizeBytes: number): Promise<string>;
  /** Idempotent. */
  remove(id: string): Promise<void>;
  /** Removes the disks that `isKnown` denies, and resolves to their names. */
  sweep(isKnown: (id: string) => boolean): Promise<string[]>;
  /** Makes ready disks now instead of in a moment of rest. */
  refill(): Promise<void>;
  /** Removes the ready disks; those in use stay. */
  close(): Promise<void>;
}

export interface ScratchDisksOptions {
  readonly directory: string;
  /** Disks of the size that most are created with are made ahead of time. */
  readonly ready?: { readonly sizeBytes: number; readonly count: number };
}

/** As `/tmp`: who writes there is decided by what the directory is mounted into. */
const MODE = 0o1777;
const ID = /^[a-z0-9][a-z0-9-]*$/;

export function createScratchDisks({ directory, ready }: ScratchDisksOptions): ScratchDisks {
  const root = resolve(directory);
  const mounts = join(root, 'mounts');
  const pool = ready && new ReadyDisks({ ...ready, files: root, mounts, mode: MODE });
  const place = (id: string): ScratchDisk => {
    if (!ID.test(id)) throw new Error(`${JSON.stringify(id)} cannot name a scratch disk`);
    return { file: join(root, `${id}.disk`), mountPoint: join(mounts, id) };
  };
  const remove = async (id: string): Promise<void> => {
    const { file, mountPoint: link } = place(id);
    const mountPoint = await mountPointAt(link);
    await removeScratchDisk({ file, mountPoint });
    if (mountPoint === link) return;
    // Killed between the link and the renaming, its file still has the name of a ready disk.
    await rm(join(root, `${basename(mountPoint)}.disk`), { force: true });
    await rm(link, { force: true });
  };
  return {
    async create(id, sizeBytes) {
      const disk = place(id);
      // Not for users of the machine: what is below is open to all.
      await mkdir(mounts, { recursive: true, mode: 0o700 });
      await remove(id);
      const taken = await pool?.take(disk, sizeBytes);
      if (taken !== undefined) return taken;
      await createScratchDisk({ ...disk, sizeBytes, ownerUid: 0, mode: MODE });
      return disk.mountPoint;
    },
    remove,
    sweep: (isKnown) =>
      sweepScratchDisks(root, (name) => isKnown(name) || pool?.owns(name) === true),
    refill: async () => await pool?.refill(),
    close: async () => await pool?.close(),
  };
}
