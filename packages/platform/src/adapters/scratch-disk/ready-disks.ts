// A few empty disks made ahead of time: making one takes longer than anything else in a start. They
// are an aid only: whoever finds none makes its own.
import { randomBytes } from 'node:crypto';
import { readdir, readlink, rename, rm, symlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { createScratchDisk, removeScratchDisk, type ScratchDisk } from './scratch-disk.ts';

export interface ReadyDisksOptions {
  readonly files: string;
  readonly mounts: string;
  readonly sizeBytes: number;
  readonly count: number;
  readonly mode: number;
}

const PREFIX = 'ready-';
/** Not at once: the processors belong to the start that has just taken one. */
const REFILL_DELAY_MS = 1_000;

export class ReadyDisks {
  readonly #options: ReadyDisksOptions;
  #ready: ScratchDisk[] = [];
  #timer: NodeJS.Timeout | undefined;
  #work: Promise<void>;
  #closed = false;

  constructor(options: ReadyDisksOptions) {
    this.#options = options;
    this.#work = this.#sweep().then(() => this.#fill());
  }

  /**
   * Puts a ready disk at the place of `disk` and resolves to where it is mounted, which
   * `disk.mountPoint` then is a link to. Undefined: there is none of this size.
   */
  async take(disk: ScratchDisk, sizeBytes: number): Promise<string | undefined> {
    if (sizeBytes !== this.#options.sizeBytes) return undefined;
    const ready = this.#ready.pop();
    this.#refillLater();
    if (!ready) return undefined;
    // The link first: it is how a removal finds the mount of the file.
    await rm(disk.mountPoint, { force: true });
    await symlink(ready.mountPoint, disk.mountPoint);
    await rename(ready.file, disk.file);
    return ready.mountPoint;
  }

  /** `name` without `.disk`. */
  owns(name: string): boolean {
    return this.#ready.some(({ mountPoint }) => basename(mountPoint) === name);
  }

  /** Without the delay; resolves when all that can be made is there. */
  async refill(): Promise<void> {
    clearTimeout(this.#timer);
    this.#work = this.#work.then(() => this.#fill());
    await this.#work;
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#work;
    for (const disk of this.#ready.splice(0)) await removeScratchDisk(disk);
  }

  #refillLater(): void {
    if (this.#closed) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.refill(), REFILL_DELAY_MS).unref();
  }

  async #fill(): Promise<void> {
    const { files, mounts, sizeBytes, count, mode } = this.#options;
    while (!this.#closed && this.#ready.length < count) {
      const name = `${PREFIX}${randomBytes(6).toString('hex')}`;
      const disk = { file: join(files, `${name}.disk`), mountPoint: join(mounts, name) };
      try {
        await createScratchDisk({ ...disk, sizeBytes, ownerUid: 0, mode });
      } catch {
        // No space, for example: whoever needs a disk meets the same and can say so.
        return;
      }
      this.#ready.push(disk);
    }
  }

  /** What an earlier agent made and nobody took. */
  async #sweep(): Promise<void> {
    const { files, mounts } = this.#options;
    const taken = await mountsTaken(mounts);
    for (const name of await readdir(mounts).catch(() => [])) {
      const mountPoint = join(mounts, name);
      if (!name.startsWith(PREFIX) || taken.has(mountPoint)) continue;
      await removeScratchDisk({ file: join(files, `${name}.disk`), mountPoint }).catch(() => {
        // Left for script/down; it costs some hundred kilobytes.
      });
    }
  }
}

/** Resolves to the mount point itself when `path` is no link. */
export async function mountPointAt(path: string): Promise<string> {
  return await readlink(path).catch(() => path);
}

async function mountsTaken(mounts: string): Promise<Set<string>> {
  const names = await readdir(mounts).catch(() => []);
  return new Set(
    await Promise.all(
      names
        .filter((name) => !name.startsWith(PREFIX))
        .map((name) => mountPointAt(join(mounts, name))),
    ),
  );
}
