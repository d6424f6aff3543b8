import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ownedName, sweepAbandoned } from './owned-name.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tandem-owned-'));
});
afterEach(() => rm(directory, { recursive: true }));

describe('sweepAbandoned', () => {
  it('deletes files and trees of processes that have ended', async () => {
    const [pid, ticks] = (await ownedName('packing')).split('-').slice(1, 3);
    // Our pid, but of a process that started at another time.
    await writeFile(join(directory, `.packing-${pid}-${Number(ticks) - 1}-0123456789ab`), '');
    await mkdir(join(directory, '.packing-4194305-1-0123456789ab.stage/sub'), { recursive: true });
    await sweepAbandoned(directory);
    expect(await readdir(directory)).toEqual([]);
  });

  it('lets be what a living process owns and what is no work at all', async () => {
    const names = [await ownedName('packing'), `${await ownedName('packing')}.stage`, '.lock', 'a'];
    for (const name of names) await writeFile(join(directory, name), '');
    await sweepAbandoned(directory);
    expect((await readdir(directory)).sort()).toEqual(names.sort());
  });
});
