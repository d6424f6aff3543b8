import { describe, expect, it } from 'vitest';
import { LIMITS } from './limits.ts';
import { decideRestart, describeExit, type Crash } from './restart-policy.ts';

const limits = LIMITS.restart;
const nowMs = 1_000_000;
const short: Crash = { atMs: nowMs, uptimeMs: 500 };
const stable: Crash = { atMs: nowMs, uptimeMs: limits.stableAfterMs };
const exit = { code: 1, outOfMemory: false };
const crashes = (count: number): Crash[] => Array.from({ length: count }, () => short);

describe('decideRestart', () => {
  it.each([
    [1, 1_000, 'ended with status 1, retry 1/5 in 1 s'],
    [2, 4_000, 'ended with status 1, retry 2/5 in 4 s'],
    [3, 16_000, 'ended with status 1, retry 3/5 in 16 s'],
    [4, 60_000, 'ended with status 1, retry 4/5 in 60 s'],
    [5, 60_000, 'ended with status 1, retry 5/5 in 60 s'],
  ])('waits longer after each crash: number %i', (count, delayMs, reason) => {
    const decision = decideRestart({ exit, history: crashes(count), limits, nowMs });
    expect(decision).toEqual({ action: 'restart', delayMs, reason });
  });

  it.each([6, 7, 100])('gives up a crash loop: crash %i', (count) => {
    const decision = decideRestart({ exit, history: crashes(count), limits, nowMs });
    const reason = 'ended with status 1, given up after 5 retries';
    expect(decision).toEqual({ action: 'give-up', delayMs: 0, reason });
  });

  it('never gives up where no number of crashes is too many', () => {
    const unlimited = { ...limits, crashesMax: Infinity };
    const decision = decideRestart({ exit, history: crashes(2_000), limits: unlimited, nowMs });
    const reason = 'ended with status 1, retry 2000 in 60 s';
    expect(decision).toEqual({ action: 'restart', delayMs: limits.delayMsMax, reason });
  });

  it.each<[string, Crash[], number]>([
    ['a stable run just now', [...crashes(5), stable], 1],
    ['a stable run, then a crash', [...crashes(5), stable, short], 2],
    ['a run just short of stable', [short, { ...short, uptimeMs: limits.stableAfterMs - 1 }], 2],
    ['two stable runs', [stable, short, short, stable, short], 2],
    ['no history at all', [], 1],
  ])('counts from the last stable run: %s', (_case, history, retry) => {
    const { reason } = decideRestart({ exit, history, limits, nowMs });
    expect(reason).toContain(`retry ${retry}/5`);
  });

  it('says out of memory as such', () => {
    const killed = { code: 137, outOfMemory: true };
    const { reason } = decideRestart({ exit: killed, history: crashes(3), limits, nowMs });
    expect(reason).toBe('out of memory, retry 3/5 in 16 s');
  });

  it('waits only for what is left of a delay that began before', () => {
    const history = [{ ...short, atMs: nowMs - 700 }];
    expect(decideRestart({ exit, history, limits, nowMs }).delayMs).toBe(300);
  });

  it.each([
    ['behind', nowMs - 3_600_000, 0],
    ['ahead', nowMs + 3_600_000, 1_000],
  ])('keeps the delay in bounds when the clock jumped: crash far %s', (_case, atMs, delayMs) => {
    const history = [{ ...short, atMs }];
    expect(decideRestart({ exit, history, limits, nowMs }).delayMs).toBe(delayMs);
  });
});

describe('describeExit', () => {
  it.each([
    [undefined, 'did not start'],
    [{ code: 0, outOfMemory: false }, 'ended with status 0'],
    [{ code: 3, outOfMemory: false }, 'ended with status 3'],
    [{ code: 128, outOfMemory: false }, 'ended with status 128'],
    [{ code: 137, outOfMemory: false }, 'killed by SIGKILL'],
    [{ code: 137, outOfMemory: true }, 'out of memory'],
    [{ code: 139, outOfMemory: false }, 'killed by SIGSEGV'],
    [{ code: 143, outOfMemory: false }, 'killed by SIGTERM'],
    [{ code: 255, outOfMemory: false }, 'ended with status 255'],
  ])('%j is "%s"', (status, text) => {
    expect(describeExit(status)).toBe(text);
  });
});
