import { describe, expect, it } from 'vitest';
import { decideRoom } from './room.ts';

const MB = 1024 * 1024;

function decide(freeMb: number, oldMb: number[], newMb: number[], reserveMb = 64) {
  return decideRoom({
    freeBytes: freeMb * MB,
    reserveBytes: reserveMb * MB,
    oldBytes: oldMb.map((size) => size * MB),
    newBytes: newMb.map((size) => size * MB),
  });
}

describe('decideRoom', () => {
  it('starts beside when both fit', () => {
    expect(decide(700, [200], [512]).plan).toBe('beside');
  });

  it('counts the reserve as taken', () => {
    expect(decide(512, [], [512]).plan).toBe('refuse');
    expect(decide(576, [], [512]).plan).toBe('beside');
  });

  it('swaps in place when only the room of the old ones suffices', () => {
    const decision = decide(400, [200], [512]);
    expect(decision.plan).toBe('swap');
    expect(decision.reason).toContain('needs 512 MB beside the old instances, 336 MB are free');
  });

  it('refuses what does not fit even then, with the numbers', () => {
    expect(decide(400, [100], [512])).toEqual({
      plan: 'refuse',
      reason: 'needs 512 MB, 436 MB can be had',
    });
  });

  it('refuses a first release that does not fit', () => {
    expect(decide(300, [], [512]).plan).toBe('refuse');
  });

  it('adds up all instances', () => {
    expect(decide(1_000, [], [512, 512]).plan).toBe('refuse');
  });

  it('does not count a negative room', () => {
    expect(decide(10, [], [1]).reason).toBe('needs 1 MB, 0 MB can be had');
  });
});
