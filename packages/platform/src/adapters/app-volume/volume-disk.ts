// One volume as a sparse file with ext4 and a journal, loop-mounted. The file appears under its name
// only when it holds a whole file system, so whatever has the name is never formatted again.
import { mkdir, open, rename, rm, rmdir, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { syncDirectory } from '../../lib/atomic-file.ts';
import { exists } from '../../lib/exists.ts';
import { isMountPoint } from '../../lib/mount-table.ts';
import { ownedName, sweepAbandoned } from '../../lib/owned-name.ts';
import { CommandFailed, runCommand, runToExit } from '../../lib/run-command.ts';
import type { VolumeUse } from '../../ports/app-volumes.ts';

export interface VolumeDisk {
  readonly file: string;
  readonly mountPoint: string;
}

const COMMAND_TIMEOUT_MS = 60_000;
/** A check of a large disk after a power cut. */
const CHECK_TIMEOUT_MS = 10 * 60_000;
/** e2fsck(8): 0 is clean, 1 is mended; from 4 on something is left that a person must decide. */
const CHECK_EXIT_MAX = 2;
/** errors: a damaged file system is not written on. */
const MOUNT_OPTIONS = 'nosuid,nodev,noatime,errors=remount-ro';
/** https://docs.kernel.org/filesystems/ext4/super.html */
const SUPERBLOCK_OFFSET = 1024;

export async function ensureDisk(disk: VolumeDisk, sizeBytes: number): Promise<void> {
  const { file, mountPoint } = disk;
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  if (!(await exists(file))) await format(file, sizeBytes);
  if (!(await isMountPoint(mountPoint))) await mount(disk, sizeBytes);
  if ((await fileSystemBytes(file)) < sizeBytes) await growMounted(file, sizeBytes);
}

/** Undefined when it is not mounted. */
export async function diskUse({ mountPoint }: VolumeDisk): Promise<VolumeUse | undefined> {
  if (!(await isMountPoint(mountPoint))) return undefined;
  const { blocks, bfree, bsize } = await statfs(mountPoint);
  return { sizeBytes: blocks * bsize, usedBytes: (blocks - bfree) * bsize };
}

/** Also when something still writes there: the bytes then go when the last user has ended. */
export async function removeDisk({ file, mountPoint }: VolumeDisk): Promise<void> {
  while (await isMountPoint(mountPoint)) {
    const result = await runToExit(['umount', mountPoint], { timeoutMs: COMMAND_TIMEOUT_MS });
    if (result.exitCode !== 0) await run('umount', '--lazy', mountPoint);
  }
  await rm(dirname(file), { recursive: true, force: true });
  await rmdir(mountPoint).catch(() => undefined);
}

async function format(file: string, sizeBytes: number): Promise<void> {
  const directory = dirname(file);
  await sweepAbandoned(directory);
  const temporary = join(directory, await ownedName('volume'));
  try {
    const image = await open(temporary, 'wx', 0o600);
    await image.truncate(sizeBytes).finally(() => image.close());
    // -m 0: nothing of it is kept for root. lazy: tables that are not used yet take no room.
    const extended = 'lazy_itable_init=1,lazy_journal_init=1,nodiscard,root_owner=0:0';
    await run('mkfs.ext4', '-q', '-F', '-b', '4096', '-m', '0', '-E', extended, temporary);
    await run('debugfs', '-w', '-R', 'rmdir lost+found', temporary);
    const written = await open(temporary, 'r+');
    await written.sync().finally(() => written.close());
    await rename(temporary, file);
    await syncDirectory(directory);
  } finally {
    await rm(temporary, { force: true });
  }
}

async function mount({ file, mountPoint }: VolumeDisk, sizeBytes: number): Promise<void> {
  await mkdir(mountPoint, { recursive: true, mode: 0o700 });
  const device = await loopDeviceOf(file);
  // In use, though not mounted here (taken down while a process went on): the same device, because
  // two on one file would destroy it. It is being written, so it cannot be checked either.
  if (device === undefined) {
    await check(file, '-p');
    if ((await fileSystemBytes(file)) < sizeBytes) await growUnmounted(file, sizeBytes);
  }
  const options = device === undefined ? `loop,${MOUNT_OPTIONS}` : MOUNT_OPTIONS;
  await run('mount', '-t', 'ext4', '-o', options, device ?? file, mountPoint);
}

async function check(file: string, ...how: readonly string[]): Promise<void> {
  const argv = ['e2fsck', ...how, file] as const;
  const result = await runToExit(argv, { timeoutMs: CHECK_TIMEOUT_MS });
  if (result.exitCode > CHECK_EXIT_MAX) throw new CommandFailed(argv, result);
}

/** Killed in the middle, the next mount goes on. */
async function growUnmounted(file: string, sizeBytes: number): Promise<void> {
  await enlargeFile(file, sizeBytes);
  await check(file, '-f', '-p');
  await run('resize2fs', file);
}

/** Without the right to (CAP_SYS_RESOURCE, in some containers) it grows when it is next mounted. */
async function growMounted(file: string, sizeBytes: number): Promise<void> {
  await enlargeFile(file, sizeBytes);
  const device = await loopDeviceOf(file);
  if (device === undefined) throw new Error(`${file} is mounted, but no loop device has it`);
  await run('losetup', '--set-capacity', device);
  const argv = ['resize2fs', device] as const;
  const result = await runToExit(argv, { timeoutMs: COMMAND_TIMEOUT_MS });
  if (result.exitCode !== 0 && !result.stderr.includes('Permission denied')) {
    throw new CommandFailed(argv, result);
  }
}

async function enlargeFile(file: string, sizeBytes: number): Promise<void> {
  const image = await open(file, 'r+');
  try {
    if ((await image.stat()).size < sizeBytes) await image.truncate(sizeBytes);
    await image.sync();
  } finally {
    await image.close();
  }
}

async function loopDeviceOf(file: string): Promise<string | undefined> {
  const argv = ['losetup', '--noheadings', '--output', 'NAME', '--associated', file] as const;
  const { stdout } = await runCommand(argv, { timeoutMs: COMMAND_TIMEOUT_MS });
  return stdout.trim().split('\n')[0]?.trim() || undefined;
}

/** Of the file system, which is not that of the file after a kill in the middle of growing. */
async function fileSystemBytes(file: string): Promise<number> {
  const image = await open(file, 'r');
  try {
    const { buffer } = await image.read(Buffer.alloc(1024), 0, 1024, SUPERBLOCK_OFFSET);
    const blocks = buffer.readUInt32LE(0x150) * 2 ** 32 + buffer.readUInt32LE(0x4);
    return blocks * 2 ** (10 + buffer.readUInt32LE(0x18));
  } finally {
    await image.close();
  }
}

async function run(...argv: [string, ...string[]]): Promise<void> {
  await runCommand(argv, { timeoutMs: COMMAND_TIMEOUT_MS });
}
