// The store under real processes: killed in the middle of a write, and several at once.
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSqliteStore } from '../../packages/platform/src/adapters/sqlite-store/sqlite-store.ts';
import { systemClock } from '../../packages/platform/src/lib/system-clock.ts';
import { runCommand } from '../../packages/platform/src/lib/run-command.ts';
import { exitOf, runTypeScript, type Script } from '../support/run-typescript.ts';

const WRITER = join(import.meta.dirname, '../support/store-writer.ts');
const KILLS = 8;
const BOUNDED = { timeoutMs: 10_000 };

describe('SqliteStore and processes', () => {
  let directory: string;
  let path: string;
  const children: Script[] = [];
  const openStore = () =>
    openSqliteStore({ path, clock: systemClock, validate: (_key, value) => value });

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'tandem-store-'));
    path = join(directory, 'store.sqlite');
  });
  afterEach(async () => {
    for (const child of children.splice(0)) {
      child.kill('SIGKILL');
      await exitOf(child);
    }
    await rm(directory, { recursive: true });
  });

  function startWriter(): { child: Script; acknowledged: () => number; errors: () => string } {
    const child = runTypeScript(WRITER, [path]);
    children.push(child);
    let count = 0;
    let errors = '';
    createInterface({ input: child.stdout }).on('line', (line) => (count = Number(line)));
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    return { child, acknowledged: () => count, errors: () => errors };
  }

  it('loses nothing acknowledged and opens clean after each kill -9', async () => {
    let before = 0;
    for (let round = 0; round < KILLS; round += 1) {
      const writer = startWriter();
      await expect.poll(writer.acknowledged, { timeout: 20_000 }).toBeGreaterThan(before + 20);
      await new Promise((resolve) => setTimeout(resolve, round * 3));
      writer.child.kill('SIGKILL');
      await once(writer.child, 'close');

      const store = await openStore();
      const left = Number((await store.get('left'))?.value);
      expect(left).toBeGreaterThanOrEqual(writer.acknowledged());
      expect((await store.get('right'))?.value).toBe(left);
      await store.close();
      before = left;
    }
  });

  it('is made once when several processes open it at the same time', async () => {
    const writers = Array.from({ length: 4 }, startWriter);
    for (const writer of writers) {
      await expect
        .poll(() => writer.errors() || writer.acknowledged(), { timeout: 30_000 })
        .toBeGreaterThan(5);
    }
    const store = await openStore();
    const { revision } = await store.list('');
    const watch = store.watch('left', revision, AbortSignal.timeout(10_000));
    let seen = 0;
    for await (const change of watch) {
      expect(change.revision).toBeGreaterThan(revision);
      seen += 1;
      if (seen === 20) break;
    }
    expect(seen).toBe(20);
    await store.close();
    expect((await readdir(directory)).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  it('says so when the disk is full, loses nothing, and goes on when there is room', async () => {
    await runCommand(['mount', '-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', directory], BOUNDED);
    try {
      const store = await openStore();
      const put = (key: string) =>
        store.transact([], [{ kind: 'put', key, value: 'x'.repeat(50_000) }]);
      let written = 0;
      const full = (async () => {
        for (; written < 100; written += 1) await put(`k/${written}`);
      })();
      await expect(full).rejects.toMatchObject({ code: 'DISK_FULL' });
      expect(written).toBeGreaterThan(2);
      expect((await store.list('k/')).documents).toHaveLength(written);
      await runCommand(['mount', '-o', 'remount,size=8m', directory], BOUNDED);
      await put('after');
      await store.close();

      const again = await openStore();
      expect((await again.list('')).documents).toHaveLength(written + 1);
      await again.close();
    } finally {
      await runCommand(['umount', directory], BOUNDED);
    }
  });

  it('prints no warning when it loads SQLite', async () => {
    const writer = startWriter();
    await expect.poll(writer.acknowledged, { timeout: 20_000 }).toBeGreaterThan(0);
    expect(writer.errors()).toBe('');
  });
});
