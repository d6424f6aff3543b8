import { describe, expect, it } from 'vitest';
import { endedByNewerDrains, type DrainingInstance } from './drain.ts';

const draining = (instanceId: string, drainUntilMs?: number): DrainingInstance => ({
  instanceId,
  desired: 'draining',
  drainUntilMs,
});

describe('draining generations', () => {
  it('may be as many as the limit, of any size', () => {
    const all = [draining('a', 1), draining('b', 1), draining('c', 2), draining('d', 3)];
    expect(endedByNewerDrains(all, 3)).toEqual([]);
  });

  it('end oldest first, all of one switch together', () => {
    const all = [draining('c', 2), draining('a', 1), draining('d', 3), draining('b', 1)];
    expect(endedByNewerDrains(all, 2)).toEqual(['a', 'b']);
    expect(endedByNewerDrains(all, 1)).toEqual(['c', 'a', 'b']);
  });

  it('do not count what runs or has been told to stop', () => {
    const all: DrainingInstance[] = [
      { instanceId: 'runs', desired: 'running' },
      { instanceId: 'stops', desired: 'stopped', drainUntilMs: 9 },
      draining('a', 1),
    ];
    expect(endedByNewerDrains(all, 1)).toEqual([]);
    expect(endedByNewerDrains(all, 0)).toEqual(['a']);
  });

  it('count as the oldest when nobody noted their end', () => {
    expect(endedByNewerDrains([draining('a'), draining('b', 5)], 1)).toEqual(['a']);
  });
});
