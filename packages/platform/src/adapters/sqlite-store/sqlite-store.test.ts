import {
  copyFileSync,
  existsSync,
  readdirSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { stateStoreContract } from '../../ports/state-store.contract.ts';
import type { StateStore } from '../../ports/state-store.ts';
import { systemClock } from '../../lib/system-clock.ts';
import { openSqliteStore } from './sqlite-store.ts';

const makeDirectory = () => mkdtemp(join(tmpdir(), 'tandem-store-'));
const validate = (_key: string, value: unknown): unknown => value;

stateStoreContract('SqliteStore', async () => {
  const directory = await makeDirectory();
  let aheadMs = 0;
  const clock = { ...systemClock, nowMs: () => Date.now() + aheadMs };
  const historyRevisions = 50;
  return {
    historyRevisions,
    connect: (check) =>
      openSqliteStore({
        path: join(directory, 'store.sqlite'),
        validate: check,
        clock,
        historyRevisions,
      }),
    passTime: async (ms) => {
      aheadMs += ms;
    },
    remove: () => rm(directory, { recursive: true }),
  };
});

describe('the store file', () => {
  let directory: string;
  let path: string;
  const openStore = (): Promise<StateStore> =>
    openSqliteStore({ path, validate, clock: systemClock });

  beforeEach(async () => {
    directory = await makeDirectory();
    path = join(directory, 'store.sqlite');
  });
  afterEach(() => rm(directory, { recursive: true }));

  async function fill(documents: number): Promise<void> {
    const store = await openStore();
    for (let index = 0; index < documents; index += 1) {
      await store.transact([], [{ kind: 'put', key: `k/${index}`, value: 'x'.repeat(2_000) }]);
    }
    await store.close();
  }

  it('is readable by its owner alone, journal included', async () => {
    const store = await openStore();
    await store.transact([], [{ kind: 'put', key: 'a', value: 1 }]);
    for (const name of readdirSync(directory)) {
      expect(statSync(join(directory, name)).mode & 0o077).toBe(0);
    }
    await store.close();
  });

  it('is made in a directory that does not exist yet, and leaves no draft', async () => {
    path = join(directory, 'data', 'store.sqlite');
    await (await openStore()).close();
    expect(readdirSync(join(directory, 'data'))).toEqual(['store.sqlite']);
  });

  it('is refused when it is empty', async () => {
    writeFileSync(path, '');
    await expect(openStore()).rejects.toMatchObject({ code: 'STORE_UNREADABLE' });
  });

  it('is refused when it is no database', async () => {
    writeFileSync(path, 'not a database '.repeat(100));
    await expect(openStore()).rejects.toMatchObject({
      code: 'STORE_UNREADABLE',
      message: expect.stringContaining(path) as string,
    });
  });

  it('is refused when it is a database of something else', async () => {
    new DatabaseSync(path).exec('CREATE TABLE other (id INTEGER)');
    await expect(openStore()).rejects.toMatchObject({ code: 'STORE_UNREADABLE' });
    await expect(openStore()).rejects.toThrow(/not a store of Tandem/);
  });

  it.each([0.99, 0.5, 0.1])('is refused when it is cut to %f of its size', async (part) => {
    await fill(50);
    truncateSync(path, Math.floor(statSync(path).size * part));
    await expect(openStore()).rejects.toMatchObject({ code: 'STORE_UNREADABLE' });
  });

  it('is refused when a block of it is overwritten', async () => {
    await fill(50);
    const file = await open(path, 'r+');
    const middle = Math.floor(statSync(path).size / 8_192) * 4_096;
    await file.write(Buffer.alloc(4_096, 0xa5), 0, 4_096, middle);
    await file.close();
    await expect(openStore()).rejects.toMatchObject({ code: 'STORE_UNREADABLE' });
  });

  it('is not made anew beside the journal of a lost one', async () => {
    const store = await openStore();
    await store.transact([], [{ kind: 'put', key: 'a', value: 1 }]);
    const lost = join(directory, 'lost.sqlite');
    copyFileSync(`${path}-wal`, `${lost}-wal`);
    await store.close();
    path = lost;
    await expect(openStore()).rejects.toThrow(/is missing, but its journal is there/);
    expect(existsSync(lost)).toBe(false);
  });

  it('opens clean with a journal that was torn in the middle', async () => {
    const store = await openStore();
    await store.transact([], [{ kind: 'put', key: 'a', value: 1 }]);
    await store.transact([], [{ kind: 'put', key: 'a', value: 2 }]);
    const torn = join(directory, 'torn.sqlite');
    copyFileSync(path, torn);
    copyFileSync(`${path}-wal`, `${torn}-wal`);
    await store.close();
    truncateSync(`${torn}-wal`, statSync(`${torn}-wal`).size - 100);
    path = torn;
    const reopened = await openStore();
    expect((await reopened.get('a'))?.value).toBe(1);
    await reopened.close();
  });

  it('of a newer version is refused and left as it is', async () => {
    await fill(1);
    const database = new DatabaseSync(path);
    database.exec('PRAGMA user_version = 99');
    database.close();
    await expect(openStore()).rejects.toMatchObject({ code: 'STORE_SCHEMA_NEWER' });
    const after = new DatabaseSync(path);
    expect(after.prepare('PRAGMA user_version').get()).toEqual({ user_version: 99 });
    after.close();
  });

  it('is refused with its path when it is a directory', async () => {
    path = directory;
    await expect(openStore()).rejects.toMatchObject({ code: 'STORE_UNREADABLE' });
  });

  it('refuses a watch from a revision it never had', async () => {
    const store = await openStore();
    const watch = store.watch('', 7, AbortSignal.timeout(5_000))[Symbol.asyncIterator]();
    await expect(watch.next()).rejects.toMatchObject({ code: 'STORE_BEHIND' });
    await store.close();
  });
});
