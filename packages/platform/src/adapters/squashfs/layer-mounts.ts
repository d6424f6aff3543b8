// Where layers are mounted: `<mounts>/<sha256>`, once for this node however many processes ask, and
// still there when they have ended. A lock file makes check and mount one step among processes.
import { mkdir, rmdir } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { TandemError } from '@tandem/protocol';
import { withFileLock } from '../../lib/file-lock.ts';
import { isMountPoint, readMountTable } from '../../lib/mount-table.ts';
import { KeyedMutex } from '../../lib/mutex.ts';
import { runCommand, runToExit } from '../../lib/run-command.ts';

const COMMAND_TIMEOUT_MS = 10_000;
const LOCK_TIMEOUT_MS = 30_000;
const HELD_DELAYS_MS = [0, 20, 50, 100, 200];

export class LayerMounts {
  readonly #directory: string;
  readonly #mutex = new KeyedMutex();

  constructor(directory: string) {
    this.#directory = resolve(directory);
  }

  point(sha256: string): string {
    return join(this.#directory, sha256);
  }

  async mount(sha256: string, file: string): Promise<string> {
    const point = this.point(sha256);
    await this.#alone(sha256, async () => {
      if (await isMountPoint(point)) return;
      await this.#locked(async () => {
        if (!(await isMountPoint(point))) await this.#mount(sha256, file);
      });
    });
    return point;
  }

  async unmount(sha256: string): Promise<void> {
    await this.#alone(sha256, () => this.#locked(() => this.#unmount(sha256)));
  }

  /** Runs `removeFile` with the layer unmounted and nobody able to mount it meanwhile. */
  async retire(sha256: string, file: string, removeFile: () => Promise<void>): Promise<void> {
    await this.#alone(sha256, () =>
      this.#locked(async () => {
        const wasMounted = await isMountPoint(this.point(sha256));
        await this.#unmount(sha256);
        if (await isHeld(file)) {
          if (wasMounted) await this.#mount(sha256, file);
          throw inUse(sha256);
        }
        await removeFile();
      }),
    );
  }

  async mounted(): Promise<string[]> {
    const mounts = await readMountTable();
    const here = mounts.filter(({ mountPoint }) => dirname(mountPoint) === this.#directory);
    return [...new Set(here.map(({ mountPoint }) => basename(mountPoint)))];
  }

  async #mount(sha256: string, file: string): Promise<void> {
    const point = this.point(sha256);
    await mkdir(point, { recursive: true, mode: 0o755 });
    // mount(8) makes the loop device with autoclear: it goes with the last mount.
    const options = ['-t', 'squashfs', '-o', 'loop,ro,nosuid,nodev'];
    await runCommand(['mount', ...options, file, point], { timeoutMs: COMMAND_TIMEOUT_MS });
  }

  async #unmount(sha256: string): Promise<void> {
    const point = this.point(sha256);
    while (await isMountPoint(point)) {
      const result = await runToExit(['umount', point], { timeoutMs: COMMAND_TIMEOUT_MS });
      if (result.exitCode !== 0) throw inUse(sha256, result.stderr.trim());
    }
    await rmdir(point).catch(() => undefined);
  }

  #alone<T>(sha256: string, work: () => Promise<T>): Promise<T> {
    return this.#mutex.run(sha256, work);
  }

  async #locked(work: () => Promise<void>): Promise<void> {
    await mkdir(this.#directory, { recursive: true, mode: 0o711 });
    await withFileLock(join(this.#directory, '.lock'), { timeoutMs: LOCK_TIMEOUT_MS }, work);
  }
}

function inUse(sha256: string, cause?: string): TandemError {
  return new TandemError('IMAGE_FAILED', `layer ${sha256.slice(0, 12)} is in use`, {
    hint: 'Stop the instances that use it: tandem ps --all',
    cause,
  });
}

/**
 * An overlay keeps its layers alive by itself: unmounting one succeeds under a running instance, but
 * its loop device stays. One that is mounted elsewhere belongs to a store that shares the file.
 */
async function isHeld(file: string): Promise<boolean> {
  for (const delayMs of HELD_DELAYS_MS) {
    // The kernel frees a device a moment after its last mount.
    await setTimeout(delayMs);
    const sources = new Set((await readMountTable()).map(({ source }) => source));
    const devices = await loopDevicesOf(file);
    if (devices.every((device) => sources.has(device))) return false;
  }
  return true;
}

async function loopDevicesOf(file: string): Promise<string[]> {
  const argv = ['losetup', '--noheadings', '--output', 'NAME', '--associated', file] as const;
  const { stdout } = await runCommand([...argv], { timeoutMs: COMMAND_TIMEOUT_MS });
  return stdout.split('\n').flatMap((line) => line.trim() || []);
}
