// Scratch disks of one installation by name: where each lies and is mounted.
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { createScratchDisk, removeScratchDisk, sweepScratchDisks } from './scratch-disk.ts';
import type { ScratchDisk } from './scratch-disk.ts';

export interface ScratchDisks {
  /** Empty, writable for every uid that gets at it; resolves to where it is mounted. */
  create(id: string, sizeBytes: number): Promise<string>;
  /** Idempotent. */
  remove(id: string): Promise<void>;
  /** Removes the disks that `isKnown` denies, and resolves to their names. */
  sweep(isKnown: (id: string) => boolean): Promise<string[]>;
}

/** As `/tmp`: who writes there is decided by what the directory is mounted into. */
const MODE = 0o1777;
const ID = /^[a-z0-9][a-z0-9-]*$/;

export function createScratchDisks({ directory }: { directory: string }): ScratchDisks {
  const root = resolve(directory);
  const mounts = join(root, 'mounts');
  const place = (id: string): ScratchDisk => {
    if (!ID.test(id)) throw new Error(`${JSON.stringify(id)} cannot name a scratch disk`);
    return { file: join(root, `${id}.disk`), mountPoint: join(mounts, id) };
  };
  return {
    async create(id, sizeBytes) {
      // Not for users of the machine: what is below is open to all.
      await mkdir(mounts, { recursive: true, mode: 0o700 });
      await createScratchDisk({ ...place(id), sizeBytes, ownerUid: 0, mode: MODE });
      return place(id).mountPoint;
    },
    remove: async (id) => await removeScratchDisk(place(id)),
    sweep: (isKnown) => sweepScratchDisks(root, isKnown),
  };
}
