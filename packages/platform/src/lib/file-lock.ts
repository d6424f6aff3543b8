// One at a time among all processes of the machine: flock(2) on a file. The kernel frees the lock
// when the last holder of the descriptor ends, however it ends, so a stale lock cannot exist.
import { open, type FileHandle } from 'node:fs/promises';
import { runToExit } from './run-command.ts';

export interface FileLockOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  /** Called once when somebody else has the lock. */
  readonly onWait?: () => void;
}

export class FileLockTimeout extends Error {
  readonly path: string;

  constructor(path: string, timeoutMs: number) {
    super(`${path} was held by another process for ${timeoutMs} ms`);
    this.name = 'FileLockTimeout';
    this.path = path;
  }
}

/**
 * Runs `work` while holding the lock. `work` may hand `fd` to a child (`inheritFds`): then the lock
 * is held until the child has ended too, even when this process is killed.
 */
export async function withFileLock<T>(
  path: string,
  options: FileLockOptions,
  work: (fd: number) => Promise<T>,
): Promise<T> {
  // The file is never deleted: a waiter would hold a lock on a name that is gone.
  const file = await open(path, 'a', 0o600);
  try {
    await acquire(file, path, options);
    return await work(file.fd);
  } finally {
    await file.close();
  }
}

/** flock(1) locks the open file that we share with it; the lock stays ours when it ends. */
async function acquire(file: FileHandle, path: string, options: FileLockOptions): Promise<void> {
  if (await flock(file, ['--nonblock'], 5_000)) return;
  options.onWait?.();
  const waitS = String(options.timeoutMs / 1000);
  const graceMs = options.timeoutMs + 5_000;
  if (await flock(file, ['--timeout', waitS], graceMs, options.signal)) return;
  throw new FileLockTimeout(path, options.timeoutMs);
}

async function flock(
  file: FileHandle,
  how: readonly string[],
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<boolean> {
  const result = await runToExit(['flock', '--exclusive', ...how, '3'], {
    timeoutMs,
    inheritFds: [file.fd],
    ...(signal === undefined ? {} : { signal }),
  });
  if (result.exitCode > 1) throw new Error(`flock: ${result.stderr.trim()}`);
  return result.exitCode === 0;
}
