import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FileLockTimeout, withFileLock } from './file-lock.ts';

let directory: string;
let path: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tandem-lock-'));
  path = join(directory, 'lock');
});
afterEach(() => rm(directory, { recursive: true }));

/** Another process that holds the lock until it is killed. */
async function holder(): Promise<{ kill: () => Promise<void> }> {
  const child = spawn('flock', ['--no-fork', path, 'sh', '-c', 'echo held; exec sleep 30']);
  await once(child.stdout, 'data');
  return {
    kill: async () => {
      child.kill('SIGKILL');
      await once(child, 'close');
    },
  };
}

describe('withFileLock', () => {
  it('lets one in at a time', async () => {
    let inside = 0;
    let most = 0;
    const work = async (): Promise<void> => {
      most = Math.max(most, ++inside);
      await new Promise((resolve) => setTimeout(resolve, 20));
      inside--;
    };
    await Promise.all([1, 2, 3].map(() => withFileLock(path, { timeoutMs: 5_000 }, work)));
    expect(most).toBe(1);
  });

  it('gives up after its time and says which file', async () => {
    const other = await holder();
    const waiting = withFileLock(path, { timeoutMs: 100 }, async () => 'in');
    await expect(waiting).rejects.toThrow(FileLockTimeout);
    await other.kill();
  });

  it('is free as soon as a holder was killed, and tells that it waits', async () => {
    const other = await holder();
    let waited = false;
    const options = { timeoutMs: 5_000, onWait: () => (waited = true) };
    const result = withFileLock(path, options, async () => 'in');
    await new Promise((resolve) => setTimeout(resolve, 50));
    await other.kill();
    await expect(result).resolves.toBe('in');
    expect(waited).toBe(true);
  });

  it('frees the lock when the work fails', async () => {
    const failing = withFileLock(path, { timeoutMs: 100 }, () => Promise.reject(new Error('no')));
    await expect(failing).rejects.toThrow('no');
    await expect(withFileLock(path, { timeoutMs: 100 }, async () => 1)).resolves.toBe(1);
  });

  it('stays with a child that inherited it', async () => {
    const child = await withFileLock(path, { timeoutMs: 100 }, async (fd) =>
      spawn('sleep', ['30'], { stdio: ['ignore', 'ignore', 'ignore', fd] }),
    );
    await expect(withFileLock(path, { timeoutMs: 100 }, async () => 1)).rejects.toThrow(/held/);
    child.kill('SIGKILL');
    await once(child, 'close');
    await expect(withFileLock(path, { timeoutMs: 1_000 }, async () => 1)).resolves.toBe(1);
  });
});
