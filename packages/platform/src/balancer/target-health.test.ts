import { describe, expect, it } from 'vitest';
import { TargetHealth } from './target-health.ts';

describe('TargetHealth', () => {
  it('admits everything at first', () => {
    expect(new TargetHealth().admits(1_000, 0)).toBe(true);
  });

  it('leaves a failed target alone, longer each time, within a bound', () => {
    const health = new TargetHealth();
    health.failed(0);
    expect([health.admits(0, 499), health.admits(0, 500)]).toEqual([false, true]);
    health.failed(500);
    expect([health.admits(0, 1_499), health.admits(0, 1_500)]).toEqual([false, true]);
    for (let n = 1; n <= 100; n += 1) health.failed(n * 100_000);
    expect(health.admits(0, 10_009_999)).toBe(false);
    expect(health.admits(0, 10_010_000)).toBe(true);
  });

  it('takes failures that come together for one', () => {
    const health = new TargetHealth();
    for (let n = 0; n < 100; n += 1) health.failed(n);
    expect(health.admits(0, 500)).toBe(true);
  });

  it('comes back slowly: one request, then twice as many with each success', () => {
    const health = new TargetHealth();
    health.failed(0);
    expect([health.admits(0, 600), health.admits(1, 600)]).toEqual([true, false]);
    health.succeeded();
    expect([health.admits(1, 600), health.admits(2, 600)]).toEqual([true, false]);
    for (let n = 0; n < 5; n += 1) health.succeeded();
    expect(health.admits(10_000, 600)).toBe(true);
  });

  it('forgets earlier failures after a success', () => {
    const health = new TargetHealth();
    for (let n = 0; n < 10; n += 1) health.failed(n * 20_000);
    health.succeeded();
    health.failed(0);
    expect(health.admits(0, 500)).toBe(true);
  });
});
