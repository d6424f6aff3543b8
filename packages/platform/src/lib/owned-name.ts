// Names for unfinished work on disk that tell whose it is: what a killed process left behind is
// swept, what another process is working on is not.
import { randomBytes } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pidStartTicks } from './boot-id.ts';

const OWNED = /^\.[a-z]+-(\d+)-(\d+)-[0-9a-f]{12}(\.[a-z]+)?$/;

/** `.<label>-<pid>-<start>-<random>`; a suffix like `.stage` may follow. `label`: lower-case letters. */
export async function ownedName(label: string): Promise<string> {
  const ticks = await pidStartTicks(process.pid);
  return `.${label}-${process.pid}-${ticks}-${randomBytes(6).toString('hex')}`;
}

/** Deletes what processes that have ended left in a directory. */
export async function sweepAbandoned(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    if (await isAbandoned(name)) {
      await rm(join(directory, name), { recursive: true, force: true });
    }
  }
}

async function isAbandoned(name: string): Promise<boolean> {
  const [, pid, ticks] = OWNED.exec(name) ?? [];
  return pid !== undefined && (await pidStartTicks(Number(pid))) !== Number(ticks);
}
