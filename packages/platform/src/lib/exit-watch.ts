// Waits for exit files: conmon writes `<directory>/<id>` with the exit status when a process ends.
// inotify tells at once; a slow poll covers lost events and holders that died without writing one.
import { watch, type FSWatcher } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

const POLL_INTERVAL_MS = 2_000;
/** Status of a process that vanished together with its holder. */
const VANISHED_STATUS = 137;
/** A holder writes the file some time after the process has gone: it drains the log first. */
const VANISHED_POLLS = 3;

interface Waiter {
  readonly isAlive: () => Promise<boolean>;
  readonly promise: Promise<number>;
  readonly resolve: (status: number) => void;
  pollsDead: number;
}

export class ExitWatch {
  readonly #directory: string;
  readonly #waiters = new Map<string, Waiter>();
  #watcher: FSWatcher | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** The directory exists already. */
  constructor(directory: string) {
    this.#directory = directory;
  }

  /** `isAlive` says whether the process or its holder lives. Waits keep no process running. */
  wait(id: string, isAlive: () => Promise<boolean>): Promise<number> {
    const waiting = this.#waiters.get(id);
    if (waiting !== undefined) return waiting.promise;
    const { promise, resolve } = Promise.withResolvers<number>();
    this.#waiters.set(id, { isAlive, promise, resolve, pollsDead: 0 });
    this.#open();
    // The file may have been there before the watch was.
    void this.#look(id);
    return promise;
  }

  /** Ends a wait whose process was removed. */
  settle(id: string, status = VANISHED_STATUS): void {
    this.#waiters.get(id)?.resolve(status);
    this.#waiters.delete(id);
    if (this.#waiters.size === 0) this.#close();
  }

  async statusOf(id: string): Promise<number | undefined> {
    const content = await readFile(join(this.#directory, id), 'utf8').catch(() => '');
    return /^\d+\s*$/.test(content) ? Number(content) : undefined;
  }

  #open(): void {
    if (this.#watcher !== undefined) return;
    this.#watcher = watch(this.#directory, { persistent: false }, (_, name) => {
      if (name !== null) void this.#look(name);
    });
    this.#watcher.on('error', () => undefined);
    this.#timer = setInterval(() => void this.#poll(), POLL_INTERVAL_MS).unref();
  }

  #close(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
    clearInterval(this.#timer);
  }

  async #look(id: string): Promise<void> {
    if (!this.#waiters.has(id)) return;
    const status = await this.statusOf(id);
    if (status !== undefined) this.settle(id, status);
  }

  async #poll(): Promise<void> {
    for (const [id, waiter] of [...this.#waiters]) {
      await this.#look(id);
      if (!this.#waiters.has(id)) continue;
      waiter.pollsDead = (await waiter.isAlive()) ? 0 : waiter.pollsDead + 1;
      if (waiter.pollsDead >= VANISHED_POLLS) this.settle(id);
    }
  }
}
