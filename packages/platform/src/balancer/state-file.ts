// What a balancer knew last, in a file: one that starts while no nexus answers serves by it.
import { readFile } from 'node:fs/promises';
import * as v from 'valibot';
import { writeFileAtomic } from '../lib/atomic-file.ts';

const SAVE_INTERVAL_MS = 1_000;

export interface StateFileOptions<State> {
  readonly path: string;
  /** For the log: `routes`. */
  readonly what: string;
  readonly schema: v.GenericSchema<unknown, State>;
  readonly take: () => State;
  /** The same: nothing to write. */
  readonly versionOf: (state: State) => string | number;
  readonly log: (line: string) => void;
}

export class StateFile<State> {
  readonly #options: StateFileOptions<State>;
  #timer: NodeJS.Timeout | undefined;
  #saving: Promise<void> = Promise.resolve();
  #savedVersion: string | number = 0;

  constructor(options: StateFileOptions<State>) {
    this.#options = options;
  }

  /** Undefined when there is none, or none that can be used. */
  async load(): Promise<State | undefined> {
    const { path, what, schema, log } = this.#options;
    try {
      const text = await readFile(path, 'utf8');
      return v.parse(schema, JSON.parse(text));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'ENOENT') log(`${what} of before are of no use: ${path}: ${whyOf(error)}`);
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
    const { path, what, take, versionOf, log } = this.#options;
    const state = take();
    if (versionOf(state) === this.#savedVersion) return;
    try {
      await writeFileAtomic(path, JSON.stringify(state), 0o600);
      this.#savedVersion = versionOf(state);
    } catch (error) {
      log(`${what} were not saved to ${path}: ${String(error)}`);
    }
  }
}

/** Not what stands in the file: it may hold private keys, and a parser quotes. */
function whyOf(error: unknown): string {
  if (error instanceof SyntaxError) return 'it is no JSON';
  if (v.isValiError(error)) return 'it is not as it should be';
  return String(error);
}
