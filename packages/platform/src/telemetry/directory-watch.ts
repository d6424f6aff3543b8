// Tells that something in a directory may have changed: by inotify, and at the latest after the poll
// interval: for directories made later or anew, and machines with no inotify watches left.
import { watch, type FSWatcher } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { Bell } from '../lib/bell.ts';

const POLL_MS = 1_000;
/** Changes that come together are told once. */
const SETTLE_MS_MIN = 50;
/** A chatty file keeps its reader busy for a tenth of the time at most. */
const SETTLE_PER_WORK = 10;

export class DirectoryWatch {
  readonly #directory: string;
  readonly #signal: AbortSignal;
  readonly #bell = new Bell();
  #watcher: FSWatcher | undefined;

  constructor(directory: string, signal: AbortSignal) {
    this.#directory = directory;
    this.#signal = signal;
    this.#start();
  }

  /** For `changed`: read it before looking at the directory. */
  get heard(): number {
    return this.#bell.rings;
  }

  /**
   * Resolves after a change since `heard`, the poll interval, or when the signal fires. `lookMs` is
   * what a look at the directory costs.
   */
  async changed(heard: number, lookMs: number): Promise<void> {
    await this.#bell.wait(heard, POLL_MS, this.#signal);
    const settleMs = Math.min(POLL_MS, Math.max(SETTLE_MS_MIN, lookMs * SETTLE_PER_WORK));
    await delay(settleMs, undefined, { signal: this.#signal }).catch(() => undefined);
    this.#start();
  }

  close(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
  }

  #start(): void {
    if (this.#watcher !== undefined) return;
    try {
      const watcher = watch(this.#directory, { persistent: false });
      watcher.on('change', () => this.#bell.ring());
      watcher.on('error', () => this.close());
      this.#watcher = watcher;
    } catch {
      // Polling goes on, and the next turn tries again.
    }
  }
}
