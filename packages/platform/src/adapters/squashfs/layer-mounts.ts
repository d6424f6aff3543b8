// Where layers are mounted: `<mounts>/<sha256>`, once for this node however many processes ask, and
// still there when they have ended. A lock file makes check and mount one step among processes.
import { mkdir, readdir, readlink, rmdir } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { TandemError } from '@tandem/protocol';
import { withFileLock } from '../../lib/file-lock.ts';
import { isMountPoint, readMountTable } from '../../lib/mount-table.ts';
import { KeyedMutex } from '../../lib/mutex.ts';
import { runCommand, runToExit } from '../../lib/run-command.ts';

const COMMAND_TIMEOUT_MS = 10_000;
const LOCK_TIMEOUT_MS = 30_000;

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
        if (await isMountPoint(point)) return;
        await mkdir(point, { recursive: true, mode: 0o755 });
        // mount(8) makes the loop device with autoclear: it goes with the last mount.
        const options = ['-t', 'squashfs', '-o', 'loop,ro,nosuid,nodev'];
        await runCommand(['mount', ...options, file, point], { timeoutMs: COMMAND_TIMEOUT_MS });
      });
    });
    return point;
  }

  async unmount(sha256: string): Promise<void> {
    await this.#alone(sha256, () => this.#locked(() => this.#unmount(sha256)));
  }

  /** Runs `removeFile` with the layer unmounted and nobody able to mount it meanwhile. */
  async retire(sha256: string, removeFile: () => Promise<void>): Promise<void> {
    await this.#alone(sha256, () =>
      this.#locked(async () => {
        if (await isLayerOfOverlay(sha256)) throw inUse(sha256);
        await this.#unmount(sha256);
        await removeFile();
      }),
    );
  }

  async mounted(): Promise<string[]> {
    const mounts = await readMountTable();
    const here = mounts.filter(({ mountPoint }) => dirname(mountPoint) === this.#directory);
    return [...new Set(here.map(({ mountPoint }) => basename(mountPoint)))];
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
 * An overlay keeps its layers alive by itself, so unmounting one succeeds under a running instance;
 * only the mount table of the instance tells.
 */
async function isLayerOfOverlay(sha256: string): Promise<boolean> {
  for (const pid of await onePidPerMountNamespace()) {
    const mounts = await readMountTable(pid).catch(() => []);
    const uses = ({ fsType, superOptions }: (typeof mounts)[number]): boolean =>
      fsType === 'overlay' && superOptions.includes(sha256);
    if (mounts.some(uses)) return true;
  }
  return false;
}

async function onePidPerMountNamespace(): Promise<number[]> {
  const names = await readdir('/proc');
  const pids = names.filter((name) => /^\d+$/.test(name)).map(Number);
  const byNamespace = new Map<string, number>();
  for (const pid of pids) {
    const namespace = await readlink(`/proc/${pid}/ns/mnt`).catch(() => undefined);
    if (namespace !== undefined) byNamespace.set(namespace, pid);
  }
  return [...byNamespace.values()];
}
