import { describe, expect, it } from 'vitest';
import { mergeByTime, type TimedSource } from './merge-by-time.ts';

interface Item {
  readonly atMs: number;
  readonly name: string;
}

class Source implements TimedSource<Item> {
  readonly firstAtMs: number;
  readonly #batches: readonly (readonly Item[])[];
  state: 'waiting' | 'open' | 'closed' = 'waiting';

  constructor(name: string, ...batches: number[][]) {
    this.#batches = batches.map((batch) => batch.map((atMs) => ({ atMs, name })));
    this.firstAtMs = batches.flat()[0] ?? 0;
  }

  async *open(): AsyncGenerator<readonly Item[]> {
    this.state = 'open';
    try {
      yield* this.#batches;
    } finally {
      this.state = 'closed';
    }
  }
}

async function merge(...sources: Source[]): Promise<string[]> {
  const merged: string[] = [];
  for await (const { name, atMs } of mergeByTime(sources)) merged.push(`${name}${atMs}`);
  return merged;
}

describe('mergeByTime', () => {
  it('puts lines in order of time', async () => {
    const merged = await merge(
      new Source('a', [1, 4], [5, 9]),
      new Source('b', [2, 3, 6]),
      new Source('c', [7], [], [8]),
    );
    expect(merged).toEqual(['a1', 'b2', 'b3', 'a4', 'a5', 'b6', 'c7', 'c8', 'a9']);
  });

  it('keeps the order of sources for equal times, and of lines within a source', async () => {
    const merged = await merge(new Source('a', [1, 1]), new Source('b', [1]));
    expect(merged).toEqual(['a1', 'a1', 'b1']);
  });

  it.each([[[]], [[new Source('a')]], [[new Source('a', [], [])]]])(
    'is empty without lines (%#)',
    async (sources) => {
      expect(await merge(...sources)).toEqual([]);
    },
  );

  it('opens a source when its first line is due and closes it at its end', async () => {
    const early = new Source('a', [1], [2]);
    const late = new Source('b', [10]);
    const merged = mergeByTime([late, early]);
    await merged.next();
    expect([early.state, late.state]).toEqual(['open', 'waiting']);
    await merged.next();
    await merged.next();
    expect([early.state, late.state]).toEqual(['closed', 'open']);
    await merged.next();
    expect(late.state).toBe('closed');
  });

  it('closes what is open when its reader leaves', async () => {
    const sources = [new Source('a', [1, 3]), new Source('b', [2], [4])];
    for await (const { atMs } of mergeByTime(sources)) if (atMs === 2) break;
    expect(sources.map(({ state }) => state)).toEqual(['closed', 'closed']);
  });
});
