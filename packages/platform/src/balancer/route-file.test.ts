import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RouteSnapshot } from '../domain/route-table.ts';
import { RouteFile } from './route-file.ts';

let directory: string;
let snapshot: RouteSnapshot;
let logged: string[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tandem-routes-'));
  snapshot = { epoch: 3, apps: [{ appId: 1, appName: 'a', routes: [] }] };
  logged = [];
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const fileAt = (name: string): RouteFile =>
  new RouteFile({
    path: join(directory, name),
    takeSnapshot: () => snapshot,
    log: (line) => logged.push(line),
  });

describe('RouteFile', () => {
  it('gives back what was saved', async () => {
    await fileAt('t').flush();
    expect(await fileAt('t').load()).toEqual(snapshot);
  });

  it('has nothing at first, and says nothing of it', async () => {
    expect(await fileAt('t').load()).toBeUndefined();
    expect(logged).toEqual([]);
  });

  it.each([
    '',
    '{"epoch":3',
    '{"epoch":"x","apps":[]}',
    '{"epoch":1,"apps":[{"appId":1}]}',
    'null',
  ])('takes no %j for a table', async (text) => {
    await writeFile(join(directory, 't'), text);
    expect(await fileAt('t').load()).toBeUndefined();
    expect(logged).toHaveLength(1);
  });

  it('saves the last of many changes, within a second', async () => {
    const file = fileAt('t');
    for (let epoch = 4; epoch < 100; epoch += 1) {
      snapshot = { ...snapshot, epoch };
      file.changed();
    }
    await expect(readFile(join(directory, 't'))).rejects.toThrow('ENOENT');
    await new Promise((resolve) => setTimeout(resolve, 1_300));
    expect((await file.load())?.epoch).toBe(99);
  });

  it('goes on when it cannot save', async () => {
    const file = fileAt('no/such/directory');
    await file.flush();
    expect(logged[0]).toContain('routes were not saved');
  });
});
