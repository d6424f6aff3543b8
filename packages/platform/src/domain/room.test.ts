import { describe, expect, it } from 'vitest';
import { decideRoom, expectedMemoryBytes, type RoomInstance } from './room.ts';

const MB = 1024 * 1024;
const RESERVE_MB = 100;

/** "web:300 worker:100" */
function instances(text: string): RoomInstance[] {
  return text
    .split(' ')
    .filter((word) => word !== '')
    .map((word) => {
      const [processType = '', megabytes] = word.split(':');
      return { processType, memoryBytes: Number(megabytes) * MB };
    });
}

function decide(freeMb: number, old: string, fresh: string) {
  const { plan, reason, steps } = decideRoom({
    freeBytes: freeMb * MB,
    reserveBytes: RESERVE_MB * MB,
    old: instances(old),
    new: instances(fresh),
  });
  const order = steps.map((s) => (s.kind === 'switch' ? 'switch' : `${s.kind} ${s.index}`));
  return { plan, reason, order: order.join(', ') };
}

describe('decideRoom', () => {
  it.each([
    ['both sets fit', 700, 'web:300 web:300', 'web:300 web:300'],
    ['nothing starts', 0, 'web:300', ''],
    ['they fit to the byte', 400, '', 'web:100 web:200'],
  ])('starts them beside the old ones: %s', (_name, freeMb, old, fresh) => {
    expect(decide(freeMb, old, fresh)).toMatchObject({ plan: 'beside', order: '' });
  });

  it.each([
    // One old instance always serves, until a new one can.
    [310, 'web:300 web:300', 'web:300 web:300', 'end 0, start 0, switch, end 1, start 1'],
    [410, 'web:300 web:300', 'web:300 web:300', 'start 0, end 0, start 1'],
    [400, 'web:300', 'web:300 web:300', 'start 0, switch, end 0, start 1'],
    // Workers make room first: nobody waits for an answer of theirs.
    [150, 'web:200 worker:200', 'web:200 worker:200', 'end 1, start 0, switch, end 0, start 1'],
    [100, 'worker:100', 'worker:100', 'end 0, start 0'],
    [100, 'web:100 web:100', 'worker:200', 'end 0, switch, end 1, start 0'],
    // What fits goes first, whatever its place in the list.
    [200, 'web:300', 'web:300 worker:50', undefined],
    [200, 'web:100 web:100', 'web:150 worker:50', 'start 1, end 0, start 0'],
  ])('%i MB free, %s -> %s takes turns: %s', (freeMb, old, fresh, order) => {
    const decision = decide(freeMb, old, fresh);
    if (order === undefined) expect(decision.plan).toBe('swap');
    else expect(decision).toMatchObject({ plan: 'one-by-one', order });
  });

  it('swaps when the only instance must go before the new one fits', () => {
    expect(decide(200, 'web:200', 'web:300')).toEqual({
      plan: 'swap',
      reason: 'the new instances need 300 MB, 100 MB are free: the old ones (200 MB) end first',
      order: '',
    });
  });

  it('swaps when the reserve is already in use', () => {
    expect(decide(50, 'web:100', 'web:100').plan).toBe('swap');
  });

  it.each([
    ['web:300', 'web:600', ' and the old ones give back 300 MB'],
    ['', 'web:300', ''],
  ])('refuses what never fits, with the numbers: %s -> %s', (old, fresh, more) => {
    const needed = /\d+/.exec(fresh)?.[0];
    expect(decide(310, old, fresh)).toEqual({
      plan: 'refuse',
      reason: `the new instances need ${needed} MB, 210 MB are free${more}`,
      order: '',
    });
  });

  it.each([
    [[], 'refuse'],
    [[1], 'swap'],
  ] as const)('one byte too many is too many', (oldBytes, plan) => {
    const web = (memoryBytes: number): RoomInstance => ({ processType: 'web', memoryBytes });
    const decision = decideRoom({
      freeBytes: 2 * RESERVE_MB * MB,
      reserveBytes: RESERVE_MB * MB,
      old: oldBytes.map(web),
      new: [web(RESERVE_MB * MB + 1)],
    });
    expect(decision.plan).toBe(plan);
  });
});

describe('expectedMemoryBytes', () => {
  it.each([
    ['its limit when nothing is known', undefined, 512],
    ['its limit when the old one has not been measured', 0, 512],
    ['half more than its predecessor', 200, 300],
    ['never less than a Python server needs to grow', 20, 96],
    ['never more than its limit', 500, 512],
  ])('%s', (_name, usedMb, expectedMb) => {
    const usedBytes = usedMb === undefined ? undefined : usedMb * MB;
    expect(expectedMemoryBytes(512 * MB, usedBytes)).toBe(expectedMb * MB);
  });
});
