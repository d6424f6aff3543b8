// What sandboxes are told (environment with secrets) lies below the run directory, so that must be
// memory. The scripts of the supervisor lie there too. /run is a tmpfs on nearly every machine, but
// Debian and Ubuntu mount it noexec: then, and where it is no tmpfs, ours becomes one.
import { chmod, mkdir, readdir, realpath, stat, statfs } from 'node:fs/promises';
import { mountOf, readMountTable } from '../../lib/mount-table.ts';
import { runCommand } from '../../lib/run-command.ts';

/** statfs(2) */
const TMPFS_MAGIC = 0x0102_1994;
/** A bundle takes about 100 KB; images, logs and scratch disks lie elsewhere. */
const SIZE = '128m';
const MOUNT_TIMEOUT_MS = 10_000;

/** Idempotent. Unmounted again by script/down like everything below the run directory. */
export async function ensureRunDirectory(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o711 });
  if ((await statfs(path)).type === TMPFS_MAGIC && (await mayExecute(path))) return;
  // In use by something that is up already: a mount would hide it from its own daemons.
  if ((await readdir(path)).length > 0) return;
  const options = `mode=0711,nosuid,nodev,size=${SIZE}`;
  await runCommand(['mount', '-t', 'tmpfs', '-o', options, 'tandem', path], {
    timeoutMs: MOUNT_TIMEOUT_MS,
  });
}

async function mayExecute(path: string): Promise<boolean> {
  const mount = mountOf(await realpath(path), await readMountTable());
  return !mount?.options.split(',').includes('noexec');
}

/** A directory that was made before with a stricter mode gets execute bits, and nothing else. */
export async function letThrough(path: string): Promise<void> {
  const { mode } = await stat(path);
  if ((mode & 0o111) !== 0o111) await chmod(path, (mode & 0o7777) | 0o111);
}
