import { describe, expect, it } from 'vitest';
import { decideRoom, type InstanceRoom, type RoomDecision } from './room.ts';

const MB = 1024 * 1024;
const instance = (name: string, oldMb: number, newMb: number): InstanceRoom => ({
  name,
  oldBytes: oldMb * MB,
  newBytes: newMb * MB,
});
const web1 = instance('web.1', 300, 300);
const web2 = instance('web.2', 300, 300);

describe('decideRoom', () => {
  it.each<[string, number, InstanceRoom[], RoomDecision['plan'], string]>([
    [
      'both sets fit',
      700,
      [web1, web2],
      'beside',
      'needs 600 MB beside the old instances, 600 MB are free',
    ],
    [
      'one more fits at a time',
      410,
      [web1, web2],
      'one-by-one',
      'needs 600 MB beside the old instances, 310 MB are free',
    ],
    ['not even one more fits', 310, [web1, web2], 'refuse', 'web.1 needs 300 MB, 210 MB are free'],
    [
      'the second has grown beyond what the first gives back',
      410,
      [web1, instance('web.2', 300, 400)],
      'refuse',
      'web.2 needs 400 MB, 310 MB are free',
    ],
    [
      'a shrinking first one makes room for a growing second',
      410,
      [instance('web.1', 300, 200), instance('web.2', 300, 400)],
      'one-by-one',
      'needs 600 MB beside the old instances, 310 MB are free',
    ],
    [
      'a growing first one leaves too little for an additional second',
      500,
      [instance('web.1', 100, 300), instance('web.2', 0, 300)],
      'refuse',
      'web.2 needs 300 MB, 200 MB are left for it',
    ],
    [
      'an instance that only ends gives its memory first',
      310,
      [web1, instance('worker.1', 100, 0)],
      'one-by-one',
      'needs 300 MB beside the old instances, 210 MB are free',
    ],
    ['nothing starts', 0, [instance('web.1', 300, 0)], 'beside', 'needs 0 MB'],
    ['the reserve is already in use', 50, [web1], 'refuse', 'web.1 needs 300 MB, 0 MB are free'],
    ['it fits to the byte', 400, [web1], 'beside', 'needs 300 MB'],
    ['it misses by one megabyte', 399, [web1], 'refuse', 'web.1 needs 300 MB, 299 MB are free'],
  ])('%s', (_case, freeMb, instances, plan, reason) => {
    const decision = decideRoom({ freeBytes: freeMb * MB, reserveBytes: 100 * MB, instances });
    expect(decision.plan).toBe(plan);
    expect(decision.reason).toContain(reason);
  });
});
