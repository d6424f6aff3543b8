// Debian mounts /run noexec; the supervisor's scripts lie below it.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ensureRunDirectory } from '../../packages/platform/src/daemons/install/run-directory.ts';
import { isMountPoint } from '../../packages/platform/src/lib/mount-table.ts';
import { runCommand, runToExit } from '../../packages/platform/src/lib/run-command.ts';

const LIMIT = { timeoutMs: 10_000 };
let root: string;
let run: string;

async function mountRoot(options: string): Promise<void> {
  await runCommand(['mount', '-t', 'tmpfs', '-o', options, 'tandem-test', root], LIMIT);
}

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'run-directory-'));
  run = join(root, 'tandem', 'default');
});

afterEach(async () => {
  await runToExit(['umount', '--recursive', root], LIMIT);
  await rm(root, { recursive: true });
});

describe('the run directory', () => {
  it('can hold scripts where /run is noexec', async () => {
    await mountRoot('noexec');
    await ensureRunDirectory(run);
    await ensureRunDirectory(run);
    const script = join(run, 'script');
    await writeFile(script, '#!/bin/sh\necho ran\n', { mode: 0o755 });
    expect((await runCommand([script], LIMIT)).stdout).toBe('ran\n');
    await runCommand(['umount', run], LIMIT);
    expect(await isMountPoint(run)).toBe(false);
  });

  it('is a plain directory on a tmpfs that allows scripts', async () => {
    await mountRoot('mode=0755');
    await ensureRunDirectory(run);
    expect(await isMountPoint(run)).toBe(false);
  });

  it('does not hide what runs from there already', async () => {
    await mountRoot('noexec');
    await mkdir(join(run, 'services'), { recursive: true });
    await ensureRunDirectory(run);
    expect(await isMountPoint(run)).toBe(false);
  });
});
