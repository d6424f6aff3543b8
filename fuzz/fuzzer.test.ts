import { describe, expect, it } from 'vitest';
import { fuzz } from './fuzzer.ts';
import { piecesOf, Random } from './random.ts';
import { type FuzzTarget, latin1 } from './target.ts';

function targetThat(breaksOn: (text: string) => boolean): FuzzTarget & { readonly seen: string[] } {
  const seen: string[] = [];
  return {
    ...{ name: 'test', words: ['chunked', 'gzip'], seen },
    seeds: ['Transfer-Encoding: identity\r\nHost: a\r\n', '5\r\nhello\r\n'].map(latin1),
    run: (input) => {
      const text = input.toString('latin1');
      seen.push(text);
      if (breaksOn(text)) throw new Error(`broken\n  ${text.length}`);
    },
  };
}

const bounds = { seed: 3, runsMax: 3_000, timeMs: 60_000 };

describe('a fuzzer', () => {
  it('tries the same for the same seed, and the seeds of its target first', async () => {
    const [one, other, third] = [1, 2, 3].map(() => targetThat(() => false));
    await fuzz(one as FuzzTarget, bounds);
    await fuzz(other as FuzzTarget, bounds);
    await fuzz(third as FuzzTarget, { ...bounds, seed: 4 });
    expect(one?.seen).toHaveLength(bounds.runsMax);
    expect(other?.seen).toEqual(one?.seen);
    expect(third?.seen).not.toEqual(one?.seen);
    expect(one?.seen.slice(0, 2)).toEqual(one === undefined ? [] : one.seeds.map(String));
  });

  it('finds an input that breaks a promise, and makes it short', async () => {
    const { finding, runs } = await fuzz(
      targetThat((text) => text.includes('gzip') && text.includes('\n')),
      bounds,
    );
    expect(runs).toBeLessThan(bounds.runsMax);
    expect([...(finding?.input.toString() ?? '')].sort().join('')).toBe('\ngipz');
    expect(finding?.error.message).toBe('broken\n  5');
  });

  it('waits for promises, and is told of those that reject', async () => {
    const target = targetThat(() => false);
    const late: FuzzTarget = { ...target, run: () => Promise.reject(new Error('late')) };
    const { finding } = await fuzz(late, bounds);
    expect(finding?.error.message).toBe('late');
    expect(finding?.input).toHaveLength(0);
  });
});

it('pieces are the whole, however they are cut', () => {
  const bytes = latin1('abcdefghijklmnopqrstuvwxyz'.repeat(20));
  for (let seed = 0; seed < 50; seed += 1)
    expect(Buffer.concat(piecesOf(bytes, new Random(seed)))).toEqual(bytes);
});
