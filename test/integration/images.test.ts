// The image store on real mounts and processes: hostile trees, killed packers, full disks.
import { randomBytes } from 'node:crypto';
import { copyFile, lstat, mkdir, mkdtemp, open, readdir, readFile, rm } from 'node:fs/promises';
import { rmdir, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createSquashfsImageStore } from '../../packages/platform/src/adapters/squashfs/squashfs-image-store.ts';
import { runCommand, runToExit } from '../../packages/platform/src/lib/run-command.ts';
import type { ImageStore } from '../../packages/platform/src/ports/image-store.ts';
import { imageStoreContract } from '../../packages/platform/src/ports/image-store.contract.ts';
import { exitOf, runTypeScript } from '../support/run-typescript.ts';

const PACKER = join(import.meta.dirname, '../support/layer-packer.ts');
const run = (...argv: [string, ...string[]]) => runCommand(argv, { timeoutMs: 20_000 });

interface StoreHere {
  readonly directory: string;
  connect(): ImageStore;
  remove(): Promise<void>;
}

async function openStore(): Promise<StoreHere> {
  const directory = await mkdtemp('/var/tmp/tandem-images-');
  const [files, mounts] = [join(directory, 'files'), join(directory, 'mounts')];
  const connect = (): ImageStore => createSquashfsImageStore({ files, mounts });
  const remove = async (): Promise<void> => {
    for (const sha256 of await connect().mounted()) await connect().unmount(sha256);
    expect(await loopDevicesUnder(directory)).toEqual([]);
    await rm(directory, { recursive: true });
  };
  return { directory, connect, remove };
}

/** Backing files below a directory that a loop device still holds. */
async function loopDevicesUnder(directory: string): Promise<string[]> {
  const { stdout } = await run('losetup', '--list', '--noheadings', '--output', 'BACK-FILE');
  return stdout.split('\n').filter((line) => line.startsWith(directory));
}

imageStoreContract('SquashfsImageStore', openStore);

describe('SquashfsImageStore on this machine', () => {
  let here: StoreHere;
  let store: ImageStore;
  let tree: string;

  beforeEach(async () => {
    here = await openStore();
    store = here.connect();
    tree = join(here.directory, 'tree');
    await mkdir(tree);
  });
  afterEach(() => here.remove());

  /** None while nobody has packed anything. */
  const files = (): Promise<string[]> =>
    readdir(join(here.directory, 'files')).catch((): string[] => []);

  it('drops devices, sockets and pipes but keeps the marks of overlayfs', async () => {
    await run('mknod', join(tree, 'disk'), 'b', '7', '0');
    await run('mknod', join(tree, 'null'), 'c', '1', '3');
    await run('mknod', join(tree, 'deleted'), 'c', '0', '0');
    await run('mkfifo', join(tree, 'pipe'));
    await mkdir(join(tree, 'opaque'));
    await writeFile(join(tree, 'opaque/new'), '');
    await run(...setXattr('trusted.overlay.opaque', 'y', join(tree, 'opaque')));
    const root = await store.mount((await store.pack(tree)).sha256);
    expect((await readdir(root)).sort()).toEqual(['deleted', 'opaque']);
    expect((await lstat(join(root, 'deleted'))).isCharacterDevice()).toBe(true);

    const lower = join(here.directory, 'lower');
    await mkdir(join(lower, 'opaque'), { recursive: true });
    await Promise.all(['deleted', 'opaque/old'].map((name) => writeFile(join(lower, name), '')));
    const merged = join(here.directory, 'merged');
    await mkdir(merged);
    await run('mount', '-t', 'overlay', '-o', `ro,lowerdir=${root}:${lower}`, 'tandem', merged);
    try {
      expect(await readdir(merged)).toEqual(['opaque']);
      expect(await readdir(join(merged, 'opaque'))).toEqual(['new']);
    } finally {
      await run('umount', merged);
    }
  });

  it('does not carry what is mounted inside a tree', async () => {
    const inside = join(tree, 'inside');
    await mkdir(inside);
    await run('mount', '--bind', '/etc', inside);
    try {
      const root = await store.mount((await store.pack(tree)).sha256);
      expect(await readdir(join(root, 'inside'))).toEqual([]);
    } finally {
      await run('umount', inside);
    }
  });

  it('mounts with nosuid and nodev', async () => {
    const { sha256 } = await store.pack(tree);
    const point = await store.mount(sha256);
    const { stdout } = await run('findmnt', '--noheadings', '--output', 'OPTIONS', point);
    expect(stdout.trim().split(',')).toEqual(expect.arrayContaining(['ro', 'nosuid', 'nodev']));
  });

  it('mounts once when processes race, and the mount outlives them', async () => {
    const { sha256 } = await store.pack(tree);
    const children = [1, 2, 3].map(() => runTypeScript(PACKER, [here.directory, 'mount', sha256]));
    expect(await Promise.all(children.map(exitOf))).toEqual([0, 0, 0]);
    const table = await readFile('/proc/self/mountinfo', 'utf8');
    expect(
      table.split('\n').filter((line) => line.includes(store.mountPoint(sha256))),
    ).toHaveLength(1);
  });

  it('refuses to remove a layer while a process or an overlay uses it', async () => {
    await writeFile(join(tree, 'file'), 'x');
    const { sha256 } = await store.pack(tree);
    const root = await store.mount(sha256);
    const file = await open(join(root, 'file'), 'r');
    await expect(store.remove(sha256)).rejects.toMatchObject({ code: 'IMAGE_FAILED' });
    await expect(store.unmount(sha256)).rejects.toMatchObject({ code: 'IMAGE_FAILED' });
    await file.close();

    const merged = join(here.directory, 'merged');
    await mkdir(merged);
    const options = `ro,lowerdir=${root}:${tree}`;
    await run('mount', '-t', 'overlay', '-o', options, 'tandem', merged);
    await expect(store.remove(sha256)).rejects.toThrow(/in use/);
    expect(await store.mounted()).toEqual([sha256]);
    await store.unmount(sha256);
    await expect(store.remove(sha256)).rejects.toThrow(/in use/);
    expect(await store.has(sha256)).toBe(true);
    await run('umount', merged);
    // Also detaches the copies that mount namespaces made meanwhile still hold.
    await rmdir(merged);
    await store.remove(sha256);
    expect(await files()).not.toContain(`${sha256}.squashfs`);
    expect(await loopDevicesUnder(here.directory)).toEqual([]);
  });

  it('takes in an image from elsewhere, and shares it with a store beside', async () => {
    await writeFile(join(tree, 'file'), 'x');
    const packed = await store.pack(tree);
    const image = join(here.directory, 'image');
    await copyFile(join(here.directory, 'files', `${packed.sha256}.squashfs`), image);
    const other = await openStore();
    try {
      const admitted = await other.connect().admit(image, packed.sha256);
      expect(admitted).toEqual(packed);
      await Promise.all([store.mount(packed.sha256), other.connect().mount(packed.sha256)]);
      await store.remove(packed.sha256);
      const root = other.connect().mountPoint(packed.sha256);
      expect(await readFile(join(root, 'file'), 'utf8')).toBe('x');
      const wrong = other.connect().admit(image, 'f'.repeat(64));
      await expect(wrong).rejects.toThrow(/damaged/);
    } finally {
      await other.remove();
    }
  });

  it('says IMAGE_FAILED for a damaged image and leaves no loop device', async () => {
    await writeFile(join(tree, 'file'), randomBytes(100_000));
    const { sha256 } = await store.pack(tree);
    await truncate(join(here.directory, 'files', `${sha256}.squashfs`), 8192);
    await expect(store.mount(sha256)).rejects.toMatchObject({ code: 'IMAGE_FAILED' });
    expect(await store.mounted()).toEqual([]);
    expect(await loopDevicesUnder(here.directory)).toEqual([]);
  });

  /** Until the work of the process `pid` has grown to `sizeBytes`. */
  async function hasPacked(pid: number, sizeBytes: number): Promise<void> {
    const size = async (): Promise<number> => {
      const work = (await files()).find((name) => name.startsWith(`.packing-${pid}-`));
      if (work === undefined) return -1;
      return (await lstat(join(here.directory, 'files', work))).size;
    };
    while ((await size()) < sizeBytes) await new Promise((resolve) => setTimeout(resolve, 2));
  }

  it('leaves nothing of a packer killed at any moment, and sweeps its work', async () => {
    for (let i = 0; i < 40; i++) await writeFile(join(tree, `f${i}`), randomBytes(1_000_000));
    for (const sizeBytes of [0, 1_000_000, 10_000_000]) {
      const child = runTypeScript(PACKER, [here.directory, 'pack', tree]);
      await hasPacked(child.pid ?? 0, sizeBytes);
      child.kill('SIGKILL');
      await exitOf(child);
      expect((await files()).filter((name) => name.endsWith('.squashfs'))).toEqual([]);
    }
    expect((await files()).some((name) => name.startsWith('.packing-'))).toBe(true);
    const { sha256 } = await here.connect().pack(tree);
    expect(await files()).toEqual([`${sha256}.squashfs`]);
  });

  it('lets packers in other processes be', async () => {
    const mine = join(here.directory, 'files', `.packing-${process.pid}-1-0123456789ab`);
    await mkdir(join(here.directory, 'files'), { recursive: true });
    await writeFile(mine, 'left by a process that had our pid');
    const stat = await readFile('/proc/self/stat', 'utf8');
    const ticks = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
    const alive = join(here.directory, 'files', `.packing-${process.pid}-${ticks}-0123456789ab`);
    await writeFile(alive, 'being packed');
    await store.pack(tree);
    await expect(lstat(mine)).rejects.toMatchObject({ code: 'ENOENT' });
    expect(await readFile(alive, 'utf8')).toBe('being packed');
  });

  it('says DISK_FULL and leaves no file when the disk is full', async () => {
    const small = join(here.directory, 'small');
    await mkdir(small);
    await run('mount', '-t', 'tmpfs', '-o', 'size=2m', 'tandem', small);
    try {
      await writeFile(join(tree, 'big'), randomBytes(4_000_000));
      const [files, mounts] = [join(small, 'files'), join(small, 'mounts')];
      const full = createSquashfsImageStore({ files, mounts });
      await expect(full.pack(tree)).rejects.toMatchObject({ code: 'DISK_FULL' });
      expect(await readdir(files)).toEqual([]);
      const image = join(here.directory, 'files', `${(await store.pack(tree)).sha256}.squashfs`);
      await expect(full.admit(image)).rejects.toMatchObject({ code: 'DISK_FULL' });
      expect(await readdir(files)).toEqual([]);
    } finally {
      await run('umount', small);
    }
  });

  it('forgets keys that cannot be read', async () => {
    const layer = await store.pack(tree);
    const key = 'a'.repeat(64);
    await store.bindKey(key, layer);
    await writeFile(join(here.directory, 'files/keys', `${key}.json`), '{"sha256":');
    expect(await store.findByKey(key)).toBeUndefined();
  });

  it('stops the packer when told to', async () => {
    for (let i = 0; i < 40; i++) await writeFile(join(tree, `f${i}`), randomBytes(1_000_000));
    const packing = store.pack(tree, { signal: AbortSignal.timeout(60) });
    await expect(packing).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(await files()).toEqual([]);
    const packers = await runToExit(['pgrep', '--full', here.directory], { timeoutMs: 5_000 });
    expect(packers.stdout).toBe('');
  });
});

function setXattr(name: string, value: string, path: string): [string, ...string[]] {
  const program = 'import os, sys; os.setxattr(sys.argv[1], sys.argv[2], sys.argv[3].encode())';
  return ['/usr/bin/python3', '-c', program, path, name, value];
}
