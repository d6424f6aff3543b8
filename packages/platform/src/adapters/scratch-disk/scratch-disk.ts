// Fixed-size disks for what a process may write: sparse files with ext4, loop-mounted. A full one
// gives ENOSPC inside and nowhere else. Nothing on them outlives its user, so they have no journal.
import { chmod, chown, mkdir, readdir, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { TandemError } from '@tandem/protocol';
import { isDiskFull } from '../../lib/disk-full.ts';
import { isMountPoint, readMountTable } from '../../lib/mount-table.ts';
import { sweepAbandoned } from '../../lib/owned-name.ts';
import { runCommand, runToExit } from '../../lib/run-command.ts';
import { ensureTemplate } from './template.ts';

export interface ScratchDisk {
  /** `<directory>/<name>.disk`; templates are kept in the same directory. */
  readonly file: string;
  readonly mountPoint: string;
}

export interface NewScratchDisk extends ScratchDisk {
  readonly sizeBytes: number;
  readonly ownerUid: number;
  /** Of the root directory; default 0o700. `/tmp` wants 0o1777. */
  readonly mode?: number;
}

const COMMAND_TIMEOUT_MS = 20_000;
const SUFFIX = '.disk';
const SIZE_BYTES_MIN = 1024 * 1024;

/**
 * noinit_itable: else the kernel fills the unused inode tables, hence the sparse file, in the
 * background. barrier=0: what the process syncs need not survive a power cut.
 */
const MOUNT_OPTIONS = 'loop,nosuid,nodev,noatime,noinit_itable,barrier=0';

/**
 * An empty disk; what was left at the same place is removed. Throws DISK_FULL or SANDBOX_FAILED and
 * leaves nothing.
 */
export async function createScratchDisk(disk: NewScratchDisk): Promise<void> {
  const { file, mountPoint } = disk;
  assertNames(disk);
  await removeScratchDisk(disk);
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    await mkdir(mountPoint, { recursive: true, mode: 0o700 });
    const template = await ensureTemplate(dirname(file), disk.sizeBytes);
    await run('cp', '--sparse=always', '--reflink=auto', template, file);
    await run('mount', '-t', 'ext4', '-o', MOUNT_OPTIONS, file, mountPoint);
    await chown(mountPoint, disk.ownerUid, disk.ownerUid);
    await chmod(mountPoint, disk.mode ?? 0o700);
  } catch (error) {
    await removeScratchDisk(disk);
    throw explain(error, disk);
  }
}

/** Also when something still writes there: the file then goes when the last user has ended. */
export async function removeScratchDisk({ file, mountPoint }: ScratchDisk): Promise<void> {
  await unmount(mountPoint);
  await rm(file, { force: true });
  await rmdir(mountPoint).catch(() => undefined);
}

/** Removes the disks in a directory whose name (without `.disk`) `isKnown` denies; gives the names. */
export async function sweepScratchDisks(
  directory: string,
  isKnown: (name: string) => boolean,
): Promise<string[]> {
  const entries = await readdir(directory).catch(() => undefined);
  if (entries === undefined) return [];
  await sweepAbandoned(directory);
  const names = entries.filter((entry) => entry.endsWith(SUFFIX) && !entry.startsWith('.'));
  const unknown = names.map((name) => name.slice(0, -SUFFIX.length)).filter((n) => !isKnown(n));
  for (const name of unknown) {
    const file = join(directory, `${name}${SUFFIX}`);
    const mountPoints = await mountPointsOf(file);
    for (const mountPoint of mountPoints) await removeScratchDisk({ file, mountPoint });
    await rm(file, { force: true });
  }
  return unknown;
}

async function unmount(mountPoint: string): Promise<void> {
  while (await isMountPoint(mountPoint)) {
    const result = await runToExit(['umount', mountPoint], { timeoutMs: COMMAND_TIMEOUT_MS });
    if (result.exitCode !== 0) await run('umount', '--lazy', mountPoint);
  }
}

async function mountPointsOf(file: string): Promise<string[]> {
  const argv = ['losetup', '--noheadings', '--output', 'NAME', '--associated', file] as const;
  const { stdout } = await runCommand([...argv], { timeoutMs: COMMAND_TIMEOUT_MS });
  const devices = new Set(stdout.split('\n').map((line) => line.trim()));
  const mounts = await readMountTable();
  return mounts.filter(({ source }) => devices.has(source)).map(({ mountPoint }) => mountPoint);
}

function assertNames({ file, sizeBytes }: NewScratchDisk): void {
  if (!file.endsWith(SUFFIX)) throw new Error(`${file} does not end with ${SUFFIX}`);
  if (sizeBytes < SIZE_BYTES_MIN) throw new Error(`a disk of ${sizeBytes} bytes is too small`);
}

async function run(...argv: [string, ...string[]]): Promise<void> {
  await runCommand(argv, { timeoutMs: COMMAND_TIMEOUT_MS });
}

function explain(error: unknown, { file, sizeBytes }: NewScratchDisk): TandemError {
  if (error instanceof TandemError) return error;
  if (isDiskFull(error)) {
    const message = `no space for a scratch disk in ${dirname(file)}`;
    const hint = `Free space there: df -h ${dirname(file)}`;
    return new TandemError('DISK_FULL', message, { hint, cause: error });
  }
  const why = error instanceof Error ? error.message : String(error);
  const message = `scratch disk ${file} of ${sizeBytes} bytes failed: ${why}`;
  return new TandemError('SANDBOX_FAILED', message, { cause: error });
}

/** Bytes of the host's disk that a scratch disk takes now. */
export async function scratchDiskUsageBytes(file: string): Promise<number> {
  return (await stat(file)).blocks * 512;
}
