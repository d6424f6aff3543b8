// The last table on disk: a balancer that starts while no nexus answers serves by it.
import { readFile } from 'node:fs/promises';
import * as v from 'valibot';
import type { RouteSnapshot } from '../domain/route-table.ts';
import { writeFileAtomic } from '../lib/atomic-file.ts';
import { RouteSnapshotSchema } from '../ports/route-messages.ts';

const SAVE_INTERVAL_MS = 1_000;

export interface RouteFileOptions {
  readonly path: string;
  readonly takeSnapshot: () => RouteSnapshot;
  readonly log: (line: string) => void;
}

export class RouteFile {
  readonly #options: RouteFileOptions;
  #timer: NodeJS.Timeout | undefined;
  #saving: Promise<void> = Promise.resolve();
  #savedEpoch = 0;

  constructor(options: RouteFileOptions) {
    this.#options = options;
  }

  /** Undefined when there is none, or none that can be used. */
  async load(): Promise<RouteSnapshot | undefined> {
    const { path, log } = this.#options;
    try {
      const text = await readFile(path, 'utf8');
      return v.parse(RouteSnapshotSchema, JSON.parse(text));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'ENOENT') log(`routes on disk are of no use: ${path}: ${String(error)}`);
      return undefined;
    }
  }

  /** Written within SAVE_INTERVAL_MS, however often this is called. */
  changed(): void {
    this.#timer ??= setTimeout(() => void this.flush(), SAVE_INTERVAL_MS);
  }

  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#saving = this.#saving.then(() => this.#save());
    return this.#saving;
  }

  async #save(): Promise<void> {
    const snapshot = this.#options.takeSnapshot();
    if (snapshot.epoch === this.#savedEpoch) return;
    try {
      await writeFileAtomic(this.#options.path, JSON.stringify(snapshot), 0o600);
      this.#savedEpoch = snapshot.epoch;
    } catch (error) {
      this.#options.log(`routes were not saved to ${this.#options.path}: ${String(error)}`);
    }
  }
}
