// Volumes of apps on real loop mounts.
import {
  chmod,
  chown,
  mkdir,
  mkdtemp,
  open,
  readFile,
  readdir,
  readlink,
  rename,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createAppVolumes } from '../../packages/platform/src/adapters/app-volume/app-volumes.ts';
import type { VolumePath } from '../../packages/platform/src/domain/volume.ts';
import { isMountPoint } from '../../packages/platform/src/lib/mount-table.ts';
import { runCommand, runToExit } from '../../packages/platform/src/lib/run-command.ts';
import type { AppVolumes } from '../../packages/platform/src/ports/app-volumes.ts';
import { pathsOf, volumeImage, type Paths } from '../../packages/platform/src/ports/paths.ts';

const MIB = 1024 * 1024;
const APP = 7;
const OWNER = 1_999_999_999;
const READER = 1_999_999_998;
const LAYERS = [
  { sha256: 'lower', sizeBytes: 1 },
  { sha256: 'code', sizeBytes: 1 },
];
const run = (...argv: [string, ...string[]]) => runCommand(argv, { timeoutMs: 20_000 });
const as = (uid: number, ...argv: [string, ...string[]]) =>
  runToExit(
    ['setpriv', '--reuid', String(uid), '--regid', String(uid), '--clear-groups', ...argv],
    { timeoutMs: 20_000 },
  );

describe('the volume of an app', () => {
  let root: string;
  let paths: Paths;
  let volumes: AppVolumes;
  let mountPoint: string;

  beforeEach(async () => {
    root = await mkdtemp('/var/tmp/tandem-volume-');
    await chmod(root, 0o711);
    paths = pathsOf('v', { data: join(root, 'data'), run: join(root, 'run') });
    await mkdir(join(root, 'layers/lower'), { recursive: true });
    await mkdir(join(root, 'layers/code/app'), { recursive: true });
    mountPoint = join(paths.run, 'volumes', String(APP));
    volumes = nextAgent();
  });
  afterEach(async () => {
    await volumes.remove(APP);
    // A mount namespace that begins elsewhere may hold one for a moment.
    await expect.poll(loopDevices, { timeout: 10_000 }).toEqual([]);
    await rm(root, { recursive: true });
  });

  const nextAgent = () =>
    createAppVolumes({
      paths,
      imageStore: { mount: async (sha256) => join(root, 'layers', sha256) },
      readerGid: READER,
    });
  const media: VolumePath = { path: '/app/media', isPublic: true, why: 'MEDIA_ROOT' };
  const logs: VolumePath = { path: '/app/logs', why: 'logs' };
  const database: VolumePath = { path: '/app/db.sqlite3', kind: 'file', why: 'SQLite' };
  const ensure = (wanted: readonly VolumePath[] = [media, logs], sizeBytes = 32 * MIB) =>
    volumes.ensure({ appId: APP, uid: OWNER, plan: { sizeBytes, paths: wanted }, layers: LAYERS });
  const inside = (path: string) => join(mountPoint, path);
  const code = (path: string) => join(root, 'layers/code', path);

  async function loopDevices(): Promise<string[]> {
    const { stdout } = await run('losetup', '--list', '--noheadings', '--output', 'BACK-FILE');
    return stdout.split('\n').filter((line) => line.startsWith(root));
  }

  it('has a directory for each path: the app owns it, the top is out of its reach', async () => {
    await ensure();
    expect(await readdir(mountPoint)).toEqual(['app+logs', 'app+media']);
    const modes = await Promise.all(
      ['', 'app+logs', 'app+media'].map((name) => stat(inside(name))),
    );
    expect(modes.map(({ uid, mode }) => [uid, mode & 0o777])).toEqual([
      [0, 0o711],
      [OWNER, 0o700],
      [OWNER, 0o755],
    ]);
    const { stdout } = await run('findmnt', '--noheadings', '--output', 'OPTIONS', mountPoint);
    expect(stdout.trim().split(',')).toEqual(expect.arrayContaining(['nosuid', 'nodev']));
  });

  it('lets the static server read what is public, and nobody else', async () => {
    await ensure();
    for (const path of [paths.run, join(root, 'run')]) await chmod(path, 0o711);
    for (const name of ['app+media', 'app+logs']) {
      await writeFile(inside(`${name}/file`), 'text');
      await chown(inside(`${name}/file`), OWNER, OWNER);
    }
    const reading = async (uid: number, name: string) =>
      (await as(uid, 'cat', inside(`${name}/file`))).exitCode;
    expect(await reading(READER, 'app+media')).toBe(0);
    expect(await reading(READER, 'app+logs')).not.toBe(0);
    expect(await reading(READER - 1, 'app+media')).not.toBe(0);
  });

  it('keeps what is on it: for the next release, the next agent, after a reboot', async () => {
    await ensure();
    await writeFile(inside('app+media/a'), 'kept');
    await ensure([media]);
    volumes = nextAgent();
    await ensure([logs, media]);
    await run('umount', mountPoint);
    await rm(paths.run, { recursive: true });
    await ensure();
    expect(await readFile(inside('app+media/a'), 'utf8')).toBe('kept');
  });

  it('is full at its size, for the app only', async () => {
    await ensure();
    const big = writeFile(inside('app+logs/big'), Buffer.alloc(40 * MIB, 1));
    await expect(big).rejects.toMatchObject({ code: 'ENOSPC' });
    await writeFile(join(root, 'outside'), Buffer.alloc(MIB, 1));
    const use = await volumes.use(APP);
    expect(use?.usedBytes).toBeGreaterThan((use?.sizeBytes ?? 0) * 0.9);
    expect(use?.sizeBytes).toBeLessThanOrEqual(32 * MIB);
  });

  it('takes little room while it is empty', async () => {
    await ensure([media], 1024 * MIB);
    expect((await stat(volumeImage(paths, APP))).size).toBe(1024 * MIB);
    expect((await stat(volumeImage(paths, APP))).blocks * 512).toBeLessThan(40 * MIB);
  });

  /** Growing in use takes a right that root in some containers lacks. */
  async function grown(sizeBytes: number) {
    await ensure([media], sizeBytes);
    const now = await volumes.use(APP);
    if ((now?.sizeBytes ?? 0) > sizeBytes * 0.8) return now?.sizeBytes ?? 0;
    await run('umount', mountPoint);
    // A sandbox that is being made elsewhere on the machine may hold the mount a moment longer.
    const argv = ['losetup', '--associated', volumeImage(paths, APP)] as const;
    const device = () => runCommand(argv, { timeoutMs: 5_000 });
    await expect.poll(async () => (await device()).stdout, { timeout: 10_000 }).toBe('');
    await ensure([media], sizeBytes);
    return (await volumes.use(APP))?.sizeBytes ?? 0;
  }

  it('grows with what is on it, and never shrinks', async () => {
    await ensure();
    await writeFile(inside('app+media/a'), 'kept');
    const before = (await volumes.use(APP))?.sizeBytes ?? 0;
    const after = await grown(64 * MIB);
    expect(after).toBeGreaterThan(before * 1.8);
    await ensure([media], 16 * MIB);
    expect((await volumes.use(APP))?.sizeBytes).toBe(after);
    expect(await readFile(inside('app+media/a'), 'utf8')).toBe('kept');
  });

  it('goes on growing where a killed agent stopped', async () => {
    await ensure();
    await truncate(volumeImage(paths, APP), 64 * MIB);
    expect(await grown(64 * MIB)).toBeGreaterThan(48 * MIB);
  });

  it('begins with what the image carries, once', async () => {
    await mkdir(code('app/media/sub'), { recursive: true });
    await writeFile(code('app/media/sub/one.txt'), 'of release 1', { mode: 0o444 });
    await ensure();
    const file = inside('app+media/sub/one.txt');
    expect(await readFile(file, 'utf8')).toBe('of release 1');
    expect((await stat(file)).uid).toBe(OWNER);
    expect((await as(OWNER, 'stat', '-c', '%a', inside('.'))).exitCode).not.toBe(0);
    await writeFile(file, 'of the app');
    await writeFile(code('app/media/sub/one.txt'), 'of release 2');
    await ensure();
    expect(await readFile(file, 'utf8')).toBe('of the app');
  });

  it('follows no link of the image, neither on the way nor in what it copies', async () => {
    await writeFile(join(root, 'secret'), 'not for apps');
    await symlink(root, code('app/media'));
    await mkdir(code('app/logs'));
    await symlink(join(root, 'secret'), code('app/logs/link'));
    await symlink(root, code('app/way'));
    const odd: VolumePath[] = [
      { path: '/app/way/layers', why: 'a link on the way' },
      { path: '/app/way/secret', kind: 'file', why: 'a link on the way' },
    ];
    await ensure([media, logs, ...odd]);
    for (const name of ['app+media', 'app+way+layers', 'app+way+secret']) {
      expect(await readdir(inside(name))).toEqual([]);
    }
    expect(await readlink(inside('app+logs/link'))).toBe(join(root, 'secret'));
    expect((await stat(join(root, 'secret'))).uid).toBe(0);
  });

  it('gives a file a directory of its own, with what the image has there', async () => {
    await writeFile(code('app/db.sqlite3'), 'committed');
    await ensure([database]);
    const file = inside('app+db.sqlite3/db.sqlite3');
    expect(await readFile(file, 'utf8')).toBe('committed');
    const { uid, mode } = await stat(file);
    expect([uid, mode & 0o600]).toEqual([OWNER, 0o600]);
  });

  it('looks into the topmost layer that has the path', async () => {
    await mkdir(join(root, 'layers/lower/data'));
    await writeFile(join(root, 'layers/lower/data/a'), 'lower');
    await ensure([{ path: '/data', why: 'named' }]);
    expect(await readFile(inside('data/a'), 'utf8')).toBe('lower');
  });

  it('is made whole after a kill at any point', async () => {
    const directory = join(paths.data, 'volumes', String(APP));
    await mkdir(directory, { recursive: true });
    // Formatting: a file of a process that has ended.
    await writeFile(join(directory, '.volume-4194305-1-0123456789ab'), 'half a file system');
    await ensure([media]);
    expect(await readdir(directory)).toEqual(['data.img']);
    // Filling a directory.
    await mkdir(inside('.unfinished/sub'), { recursive: true });
    await writeFile(inside('.unfinished/sub/half'), '');
    await mkdir(code('app/logs'));
    await writeFile(code('app/logs/a'), 'whole');
    await ensure();
    expect((await readdir(mountPoint)).sort()).toEqual(['app+logs', 'app+media']);
    expect(await readdir(inside('app+logs'))).toEqual(['a']);
  });

  it('is one file system however it was unmounted', async () => {
    await ensure();
    const held = await open(inside('app+logs/held'), 'w');
    await run('umount', '--lazy', mountPoint);
    expect(await isMountPoint(mountPoint)).toBe(false);
    await ensure();
    await held.writeFile('written through the old mount');
    await held.close();
    expect(await readFile(inside('app+logs/held'), 'utf8')).toContain('old mount');
    expect(new Set(await loopDevices()).size).toBe(1);
  });

  it('is mended after a power cut, and not touched when it is no file system', async () => {
    await ensure();
    await writeFile(inside('app+media/a'), 'kept');
    await run('sync', '-f', mountPoint);
    // As the disk is at this instant: the journal was not closed.
    await run('cp', '--sparse=always', volumeImage(paths, APP), join(root, 'cut'));
    await run('umount', mountPoint);
    await rename(join(root, 'cut'), volumeImage(paths, APP));
    await ensure();
    expect(await readFile(inside('app+media/a'), 'utf8')).toBe('kept');

    await run('umount', mountPoint);
    // Until then the kernel may still write to it, for a mount namespace that has just begun.
    await expect.poll(loopDevices, { timeout: 10_000 }).toEqual([]);
    await writeFile(volumeImage(paths, APP), Buffer.alloc(MIB, 7));
    await expect(ensure()).rejects.toMatchObject({
      code: 'VOLUME_FAILED',
      hint: expect.stringContaining('e2fsck -fn') as string,
    });
    expect((await readFile(volumeImage(paths, APP)))[0]).toBe(7);
  });

  it('says so when what the image carries does not fit', async () => {
    await mkdir(code('app/media'));
    await writeFile(code('app/media/big'), Buffer.alloc(40 * MIB, 1));
    await expect(ensure()).rejects.toMatchObject({ code: 'DISK_FULL' });
    await rm(code('app/media/big'));
    await ensure();
    expect(await readdir(inside('app+media'))).toEqual([]);
  });

  it('is made once when many ask at the same time', async () => {
    await Promise.all(Array.from({ length: 5 }, () => ensure()));
    expect(await loopDevices()).toHaveLength(1);
  });

  it('is removed with all that is on it, once and again, also while busy', async () => {
    await ensure();
    const held = await open(inside('app+logs/held'), 'w');
    await volumes.remove(APP);
    await volumes.remove(APP);
    expect(await isMountPoint(mountPoint)).toBe(false);
    await expect(stat(volumeImage(paths, APP))).rejects.toMatchObject({ code: 'ENOENT' });
    expect(await volumes.use(APP)).toBeUndefined();
    await held.close();
    await expect.poll(loopDevices, { timeout: 10_000 }).toEqual([]);
  });
});
