// Several sources of lines, each in order of time, as one. A source is opened when its first line may
// be due and closed at its end, so hundreds of files cost few open ones.

interface Timed {
  readonly atMs: number;
}

export interface TimedSource<T extends Timed> {
  /** No line of it is earlier; a source that says too early a time is only opened early. */
  readonly firstAtMs: number;
  open(): AsyncIterator<readonly T[]>;
}

class Cursor<T extends Timed> {
  readonly #batches: AsyncIterator<readonly T[]>;
  #batch: readonly T[] = [];
  #index = 0;

  constructor(batches: AsyncIterator<readonly T[]>) {
    this.#batches = batches;
  }

  get head(): T | undefined {
    return this.#batch[this.#index];
  }

  /** True when there was another line in memory; else `load` must be awaited. */
  step(): boolean {
    this.#index += 1;
    return this.#index < this.#batch.length;
  }

  /** False at the end of the source. */
  async load(): Promise<boolean> {
    do {
      const next = await this.#batches.next();
      if (next.done === true) return false;
      this.#batch = next.value;
    } while (this.#batch.length === 0);
    this.#index = 0;
    return true;
  }

  async close(): Promise<void> {
    await this.#batches.return?.();
  }
}

/** Lines of equal time come in the order of the sources. */
export async function* mergeByTime<T extends Timed>(
  sources: readonly TimedSource<T>[],
): AsyncGenerator<T> {
  const waiting = sources.toSorted((a, b) => a.firstAtMs - b.firstAtMs);
  const open: Cursor<T>[] = [];
  try {
    for (;;) {
      const next = earliest(open);
      const source = waiting[0];
      if (source !== undefined && source.firstAtMs <= (next?.head?.atMs ?? Infinity)) {
        waiting.shift();
        const cursor = new Cursor(source.open());
        open.push(cursor);
        if (!(await cursor.load())) open.pop();
        continue;
      }
      if (next?.head === undefined) return;
      yield next.head;
      if (!next.step() && !(await next.load())) open.splice(open.indexOf(next), 1);
    }
  } finally {
    await Promise.all(open.map((cursor) => cursor.close()));
  }
}

function earliest<T extends Timed>(cursors: readonly Cursor<T>[]): Cursor<T> | undefined {
  let best: Cursor<T> | undefined;
  for (const cursor of cursors) {
    if ((cursor.head?.atMs ?? Infinity) < (best?.head?.atMs ?? Infinity)) best = cursor;
  }
  return best;
}
