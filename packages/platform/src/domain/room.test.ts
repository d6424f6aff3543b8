import { describe, expect, it } from 'vitest';
import { decideRoom, type RoomDecision } from './room.ts';

const MB = 1024 * 1024;
const RESERVE_MB = 100;

interface Case {
  readonly freeMb: number;
  readonly oldMb: readonly number[];
  readonly newMb: readonly number[];
  readonly plan: RoomDecision['plan'];
  readonly reason: string;
}

const cases: Record<string, Case> = {
  'both sets fit': {
    freeMb: 700,
    oldMb: [300, 300],
    newMb: [300, 300],
    plan: 'beside',
    reason: 'the new instances need 600 MB, 600 MB are free',
  },
  'they fit only where the old ones are': {
    freeMb: 310,
    oldMb: [300, 300],
    newMb: [300, 300],
    plan: 'one-by-one',
    reason: 'the new instances need 600 MB, 210 MB are free: the old ones (600 MB) end first',
  },
  'they have grown beyond what is there': {
    freeMb: 310,
    oldMb: [300],
    newMb: [600],
    plan: 'refuse',
    reason: 'the new instances need 600 MB, 210 MB are free and the old ones give back 300 MB',
  },
  'there is nothing old': {
    freeMb: 310,
    oldMb: [],
    newMb: [300],
    plan: 'refuse',
    reason: 'the new instances need 300 MB, 210 MB are free',
  },
  'nothing starts': {
    freeMb: 0,
    oldMb: [300],
    newMb: [],
    plan: 'beside',
    reason: 'the new instances need 0 MB, 0 MB are free',
  },
  'the reserve is already in use': {
    freeMb: 50,
    oldMb: [100],
    newMb: [100],
    plan: 'one-by-one',
    reason: 'the new instances need 100 MB, 0 MB are free: the old ones (100 MB) end first',
  },
  'they fit to the byte': {
    freeMb: 400,
    oldMb: [],
    newMb: [100, 200],
    plan: 'beside',
    reason: 'the new instances need 300 MB, 300 MB are free',
  },
  'they fit to the byte once the old ones are gone': {
    freeMb: 200,
    oldMb: [200],
    newMb: [300],
    plan: 'one-by-one',
    reason: 'the new instances need 300 MB, 100 MB are free: the old ones (200 MB) end first',
  },
};

describe('decideRoom', () => {
  it.each(Object.entries(cases))('%s', (_name, { freeMb, oldMb, newMb, plan, reason }) => {
    const decision = decideRoom({
      freeBytes: freeMb * MB,
      reserveBytes: RESERVE_MB * MB,
      oldBytes: oldMb.map((value) => value * MB),
      newBytes: newMb.map((value) => value * MB),
    });
    expect(decision).toEqual({ plan, reason });
  });

  it.each([
    [1, [], 'refuse'],
    [1, [1], 'one-by-one'],
  ] as const)('one byte too many is too many', (over, oldBytes, plan) => {
    const newBytes = [RESERVE_MB * MB + over];
    const question = { freeBytes: 2 * RESERVE_MB * MB, reserveBytes: RESERVE_MB * MB };
    expect(decideRoom({ ...question, oldBytes, newBytes }).plan).toBe(plan);
  });
});
