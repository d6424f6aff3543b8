import { describe, expect, it } from 'vitest';
import { LIMITS } from '../limits.ts';
import { dueAtMs, jitterOf, renewAtMs, retryDelayMs, type FailedOrder } from './renewal.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const validity = (lifetimeMs: number) => ({ notBeforeMs: 0, notAfterMs: lifetimeMs });
const failed = (over: Partial<FailedOrder> = {}): FailedOrder => ({
  failures: 1,
  isDnsWait: false,
  jitter: 0,
  limits: LIMITS.certificates,
  ...over,
});

describe('a certificate', () => {
  it.each([
    ['90 days', 90 * DAY, 60 * DAY],
    ['6 days', 6 * DAY, 4 * DAY],
    ['a minute', MINUTE, 40_000],
  ])('of %s is renewed a third before its end', (_name, lifetimeMs, dueMs) => {
    expect(renewAtMs(validity(lifetimeMs), 0)).toBe(dueMs);
  });

  it('is renewed earlier by its jitter, never later and never in its first half', () => {
    for (const jitter of [0.1, 0.5, 0.999]) {
      const at = renewAtMs(validity(90 * DAY), jitter);
      expect(at).toBeLessThan(60 * DAY);
      expect(at).toBeGreaterThan(52 * DAY);
    }
  });

  it('that ends before it begins is due at once', () => {
    expect(renewAtMs({ notBeforeMs: 100, notAfterMs: 50 }, 0.5)).toBe(50);
  });
});

describe('something is due', () => {
  const kept = (
    source: 'acme' | 'imported' | 'self-signed',
    isOrdered: boolean,
    nextAtMs?: number,
  ) =>
    dueAtMs({
      certificate: { ...validity(90 * DAY), source },
      isOrdered,
      jitter: 0,
      ...(nextAtMs === undefined ? {} : { nextAtMs }),
    });

  it('at once where an authority is asked and has given nothing yet', () => {
    expect(kept('self-signed', true)).toBe(0);
    expect(kept('self-signed', true, 5 * DAY)).toBe(5 * DAY);
  });

  it('when the time to renew has come, or when a failed order may be repeated', () => {
    expect(kept('acme', true)).toBe(60 * DAY);
    expect(kept('acme', true, 5 * DAY)).toBe(60 * DAY);
    expect(kept('acme', true, 61 * DAY)).toBe(61 * DAY);
  });

  it('for what we sign ourselves before it ends, whatever the authority says', () => {
    expect(kept('self-signed', false)).toBe(60 * DAY);
    expect(kept('self-signed', true, 70 * DAY)).toBe(60 * DAY);
  });

  it('never for what others keep', () => {
    expect(kept('imported', true)).toBeUndefined();
    expect(kept('acme', false)).toBeUndefined();
  });
});

describe('jitter', () => {
  it('follows from the text and is spread', () => {
    const values = Array.from({ length: 1000 }, (_, index) => jitterOf(`site-${index}.example`));
    expect(jitterOf('site-7.example')).toBe(values[7]);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    expect(mean).toBeGreaterThan(0.45);
    expect(mean).toBeLessThan(0.55);
    expect(values.every((value) => value >= 0 && value < 1)).toBe(true);
    expect(values.filter((value) => value < 0.1).length).toBeGreaterThan(60);
  });
});

describe('a failed order', () => {
  it('waits longer each time, up to a bound', () => {
    const delays = [1, 2, 3, 4, 5, 6, 100].map((failures) => retryDelayMs(failed({ failures })));
    expect(delays).toEqual([1, 4, 16, 64, 256, 360, 360].map((minutes) => minutes * MINUTE));
  });

  it('has its delay shortened by jitter, by a quarter at most', () => {
    expect(retryDelayMs(failed({ jitter: 1 }))).toBe(45_000);
  });

  it('is tried often enough when certificates are short', () => {
    expect(retryDelayMs(failed({ failures: 9, validity: validity(MINUTE) }))).toBe(3_000);
    expect(retryDelayMs(failed({ failures: 9, validity: validity(90 * DAY) }))).toBe(6 * HOUR);
  });

  it('looks at the DNS more often than it asks a certificate authority', () => {
    expect(retryDelayMs(failed({ failures: 9, isDnsWait: true }))).toBe(10 * MINUTE);
  });

  it('waits as long as it was asked to, also when certificates are short', () => {
    const asked = failed({ retryAfterMs: 2 * HOUR, validity: validity(MINUTE), jitter: 0.5 });
    expect(retryDelayMs(asked)).toBeGreaterThanOrEqual(2 * HOUR);
    expect(retryDelayMs(asked)).toBeLessThan(2.2 * HOUR);
  });

  it('is not put off for ever by an absurd request', () => {
    expect(retryDelayMs(failed({ retryAfterMs: 1e15 }))).toBe(7 * DAY);
  });
});
