// Scratch disks on real loop mounts.
import { chmod, mkdir, mkdtemp, open, readdir, rm, stat, symlink, unlink } from 'node:fs/promises';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  createScratchDisk,
  removeScratchDisk,
  scratchDiskUsageBytes,
  sweepScratchDisks,
} from '../../packages/platform/src/adapters/scratch-disk/scratch-disk.ts';
import { createScratchDisks } from '../../packages/platform/src/adapters/scratch-disk/scratch-disks.ts';
import { isMountPoint } from '../../packages/platform/src/lib/mount-table.ts';
import { runCommand } from '../../packages/platform/src/lib/run-command.ts';

const MIB = 1024 * 1024;
const OWNER = 1_999_999_999;
const run = (...argv: [string, ...string[]]) => runCommand(argv, { timeoutMs: 20_000 });

describe('scratch disks', () => {
  let directory: string;
  let files: string;

  beforeEach(async () => {
    directory = await mkdtemp('/var/tmp/tandem-scratch-');
    files = join(directory, 'files');
  });
  afterEach(async () => {
    await sweepScratchDisks(files, () => false);
    expect(await loopDevices()).toEqual([]);
    await rm(directory, { recursive: true });
  });

  const disk = (name: string) => ({
    file: join(files, `${name}.disk`),
    mountPoint: join(directory, 'mounts', name),
  });
  const create = (name: string, more = {}) =>
    createScratchDisk({ ...disk(name), sizeBytes: 16 * MIB, ownerUid: OWNER, ...more });

  async function loopDevices(): Promise<string[]> {
    const { stdout } = await run('losetup', '--list', '--noheadings', '--output', 'BACK-FILE');
    return stdout.split('\n').filter((line) => line.startsWith(directory));
  }

  it('gives its owner an empty disk that nobody else enters', async () => {
    await create('a');
    const { mountPoint } = disk('a');
    expect(await readdir(mountPoint)).toEqual([]);
    const { uid, gid, mode } = await stat(mountPoint);
    expect([uid, gid, mode & 0o7777]).toEqual([OWNER, OWNER, 0o700]);
    const { stdout } = await run('findmnt', '--noheadings', '--output', 'OPTIONS', mountPoint);
    expect(stdout.split(',')).toEqual(expect.arrayContaining(['nosuid', 'nodev']));
  });

  it('can be a /tmp', async () => {
    await create('a', { mode: 0o1777 });
    expect((await stat(disk('a').mountPoint)).mode & 0o7777).toBe(0o1777);
    for (const path of ['', 'mounts']) await chmod(join(directory, path), 0o711);
    const argv = ['setpriv', '--reuid', '1999999998', '--clear-groups', 'touch'] as const;
    await run(...argv, join(disk('a').mountPoint, 'file'));
  });

  it('is full at its size, for those inside only', async () => {
    await create('a');
    await create('b');
    const filling = writeFile(join(disk('a').mountPoint, 'big'), Buffer.alloc(20 * MIB, 1));
    await expect(filling).rejects.toMatchObject({ code: 'ENOSPC' });
    await writeFile(join(disk('b').mountPoint, 'small'), Buffer.alloc(MIB, 1));
    await writeFile(join(directory, 'outside'), Buffer.alloc(MIB, 1));
    expect(await scratchDiskUsageBytes(disk('a').file)).toBeLessThanOrEqual(16 * MIB);
  });

  it('takes hardly any room while it is empty', async () => {
    await create('a', { sizeBytes: 512 * MIB });
    expect(await scratchDiskUsageBytes(disk('a').file)).toBeLessThan(2 * MIB);
    expect((await stat(disk('a').file)).size).toBe(512 * MIB);
  });

  it('is removed with its file and mount, once and again', async () => {
    await create('a');
    await removeScratchDisk(disk('a'));
    await removeScratchDisk(disk('a'));
    expect(await isMountPoint(disk('a').mountPoint)).toBe(false);
    await expect(stat(disk('a').file)).rejects.toMatchObject({ code: 'ENOENT' });
    expect(await loopDevices()).toEqual([]);
  });

  it('is removed while busy; its loop device goes with the last user', async () => {
    await create('a');
    const held = await open(join(disk('a').mountPoint, 'held'), 'w');
    await removeScratchDisk(disk('a'));
    expect(await isMountPoint(disk('a').mountPoint)).toBe(false);
    expect(await loopDevices()).toHaveLength(1);
    await held.close();
    await expect.poll(loopDevices, { timeout: 10_000 }).toEqual([]);
  });

  it('is new when made again at the place of an old one', async () => {
    await create('a');
    await writeFile(join(disk('a').mountPoint, 'old'), 'secret of the last user');
    await create('a');
    expect(await readdir(disk('a').mountPoint)).toEqual([]);
    await unlink(disk('a').file);
    await create('a');
    expect(await isMountPoint(disk('a').mountPoint)).toBe(true);
  });

  it('sweeps what nobody knows, mounted or not, and lets be what is known', async () => {
    await Promise.all(['known', 'mounted', 'unmounted'].map((name) => create(name)));
    await run('umount', disk('unmounted').mountPoint);
    await writeFile(join(files, '.template-4194305-1-0123456789ab'), 'left by a killed process');
    const swept = await sweepScratchDisks(files, (name) => name === 'known');
    expect(swept.sort()).toEqual(['mounted', 'unmounted']);
    expect(await isMountPoint(disk('known').mountPoint)).toBe(true);
    expect(await isMountPoint(disk('mounted').mountPoint)).toBe(false);
    const left = await readdir(files);
    expect(left.filter((name) => !name.startsWith('.template-v1-'))).toEqual(['known.disk']);
    expect(await sweepScratchDisks(join(directory, 'missing'), () => false)).toEqual([]);
  });

  it('says DISK_FULL and leaves nothing when the host has no room', async () => {
    const small = join(directory, 'small');
    await mkdir(small);
    await run('mount', '-t', 'tmpfs', '-o', 'size=64k', 'tandem', small);
    try {
      const place = { file: join(small, 'a.disk'), mountPoint: disk('a').mountPoint };
      const making = createScratchDisk({ ...place, sizeBytes: 512 * MIB, ownerUid: OWNER });
      await expect(making).rejects.toMatchObject({ code: 'DISK_FULL' });
      expect((await readdir(small)).filter((name) => !name.startsWith('.template'))).toEqual([]);
      expect(await isMountPoint(disk('a').mountPoint)).toBe(false);
    } finally {
      await run('umount', small);
    }
  });

  it('refuses a size that holds no file system, and a name it would not sweep', async () => {
    await expect(create('a', { sizeBytes: 1000 })).rejects.toThrow(/too small/);
    await expect(create('a', { file: join(files, 'a') })).rejects.toThrow(/\.disk/);
  });

  it('are kept by name, out of reach of other users of the machine', async () => {
    const disks = createScratchDisks({ directory: files });
    const mountPoint = await disks.create('web-1', 16 * MIB);
    expect((await stat(mountPoint)).mode & 0o7777).toBe(0o1777);
    expect((await stat(join(mountPoint, '..'))).mode & 0o777).toBe(0o700);
    await disks.create('web-2', 16 * MIB);
    expect(await disks.sweep((id) => id === 'web-1')).toEqual(['web-2']);
    await disks.remove('web-1');
    await disks.remove('web-1');
    expect(await isMountPoint(mountPoint)).toBe(false);
    await expect(disks.create('../escape', 16 * MIB)).rejects.toThrow(/cannot name/);
  });

  describe('made ahead of time', () => {
    const SIZE = 16 * MIB;
    const openDisks = () =>
      createScratchDisks({ directory: files, ready: { sizeBytes: SIZE, count: 2 } });
    const readyFiles = async () =>
      (await readdir(files)).filter((name) => name.startsWith('ready-')).length;

    it('are taken, empty and of the same kind as others, and made again in a moment of rest', async () => {
      const disks = openDisks();
      await disks.refill();
      expect(await readyFiles()).toBe(2);
      const mountPoint = await disks.create('a', SIZE);
      expect(await isMountPoint(mountPoint)).toBe(true);
      expect(await readdir(mountPoint)).toEqual([]);
      expect((await stat(mountPoint)).mode & 0o7777).toBe(0o1777);
      expect((await stat(join(files, 'a.disk'))).size).toBe(SIZE);
      expect(await readyFiles()).toBe(1);
      await expect.poll(readyFiles, { timeout: 10_000 }).toBe(2);
      await disks.remove('a');
      expect(await isMountPoint(mountPoint)).toBe(false);
      await expect(stat(join(files, 'a.disk'))).rejects.toMatchObject({ code: 'ENOENT' });
      await disks.close();
      expect(await loopDevices()).toEqual([]);
    });

    it('are no condition: none is left, or another size is wanted', async () => {
      const disks = openDisks();
      await disks.refill();
      const mountPoints = await Promise.all(
        ['a', 'b', 'c'].map((name) => disks.create(name, SIZE)),
      );
      const other = await disks.create('other', 2 * SIZE);
      for (const path of [...mountPoints, other]) expect(await isMountPoint(path)).toBe(true);
      expect(new Set(mountPoints).size).toBe(3);
      for (const name of ['a', 'b', 'c', 'other']) await disks.remove(name);
      await disks.close();
      expect(await loopDevices()).toEqual([]);
    });

    it('that a killed agent left are removed by the next one, those in use are not', async () => {
      const killed = openDisks();
      await killed.refill();
      const mountPoint = await killed.create('a', SIZE);
      await writeFile(join(mountPoint, 'file'), 'of a running process');
      const next = openDisks();
      await next.refill();
      expect(await isMountPoint(mountPoint)).toBe(true);
      expect(await readyFiles()).toBe(2);
      await next.remove('a');
      await next.close();
      await killed.close();
      expect(await loopDevices()).toEqual([]);
      expect(await readdir(join(files, 'mounts'))).toEqual([]);
    });

    it('killed between the link and the file, nothing is left', async () => {
      const killed = openDisks();
      await killed.refill();
      const [ready = ''] = (await readdir(join(files, 'mounts'))).toSorted();
      await symlink(join(files, 'mounts', ready), join(files, 'mounts', 'a'));
      const next = openDisks();
      await next.refill();
      await next.remove('a');
      await next.close();
      await killed.close();
      expect(await loopDevices()).toEqual([]);
      expect(await readyFiles()).toBe(0);
    });
  });
});
