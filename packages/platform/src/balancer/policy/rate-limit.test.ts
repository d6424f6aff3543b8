import { describe, expect, it } from 'vitest';
import type { Exchange } from '../exchange.ts';
import { RateLedger } from './rate-ledger.ts';
import { RateLimit } from './rate-limit.ts';

const client = (clientIp: string): Exchange => ({ origin: { clientIp } }) as Exchange;

function limited(policy: { requestsPerS: number; burst?: number }, clientsMax?: number) {
  const time = { ms: 1_000 };
  const ledger = new RateLedger(clientsMax);
  const limit = new RateLimit(policy, ledger, () => time.ms);
  const ask = (ip = '192.0.2.1') => {
    const verdict = limit.judge(client(ip));
    if (verdict instanceof Promise) throw new Error('it took time');
    return verdict;
  };
  /** How many of `count` pass. */
  const passing = (count: number, ip?: string): number =>
    Array.from({ length: count }, () => ask(ip)).filter((one) => one === undefined).length;
  return { time, ledger, ask, passing };
}

describe('RateLimit', () => {
  it('lets a burst pass, then one after the other', () => {
    const { time, passing } = limited({ requestsPerS: 10, burst: 5 });
    expect(passing(20)).toBe(5);
    time.ms += 100;
    expect(passing(20)).toBe(1);
    time.ms += 250;
    expect(passing(20)).toBe(2);
    time.ms += 60_000;
    expect(passing(20)).toBe(5);
  });

  it('takes the rate itself for the burst', () => {
    expect(limited({ requestsPerS: 8 }).passing(20)).toBe(8);
    expect(limited({ requestsPerS: 0.1 }).passing(20)).toBe(1);
  });

  it('says how long to wait, in whole seconds, and that it is enough', () => {
    const { time, ask, passing } = limited({ requestsPerS: 0.1, burst: 2 });
    passing(2);
    expect(ask()).toMatchObject({ status: 429, retryAfterS: 10 });
    time.ms += 9_500;
    expect(ask()?.retryAfterS).toBe(1);
    time.ms += 1_000;
    expect(ask()).toBeUndefined();
  });

  it('holds the rate over a long time, however it is asked', () => {
    const { time, passing } = limited({ requestsPerS: 7, burst: 3 });
    let passed = 0;
    for (let n = 0; n < 10_000; n += 1) {
      passed += passing(1 + (n % 3));
      time.ms += 13;
    }
    expect(passed).toBeGreaterThan(905);
    expect(passed).toBeLessThanOrEqual(913);
  });

  it('does not make those wait longer who ask while they wait', () => {
    const { time, passing } = limited({ requestsPerS: 1, burst: 1 });
    expect(passing(1_000)).toBe(1);
    time.ms += 1_000;
    expect(passing(1)).toBe(1);
  });

  it('tells clients apart, and limits too', () => {
    const { passing, ledger } = limited({ requestsPerS: 1, burst: 2 });
    expect(passing(5, '192.0.2.1')).toBe(2);
    expect(passing(5, '::ffff:192.0.2.1')).toBe(0);
    expect(passing(5, '192.0.2.2')).toBe(2);
    expect(passing(5, '2001:db8::1')).toBe(2);
    expect(passing(5, '2001:db8::ffff')).toBe(0);
    const other = new RateLimit({ requestsPerS: 1 }, ledger, () => 1_000);
    expect(other.judge(client('192.0.2.1'))).toBeUndefined();
  });

  it('remembers so many clients and no more, those who come often for longest', () => {
    const { ask, passing, ledger, time } = limited({ requestsPerS: 0.001, burst: 1 }, 1_000);
    passing(1, '192.0.2.1');
    for (let n = 0; n < 10_000; n += 1) {
      expect(ask(`10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`)).toBeUndefined();
      expect(ledger.size).toBeLessThanOrEqual(1_000);
      time.ms += 0.01;
    }
    expect(ask('10.0.39.15')?.status).toBe(429);
    expect(ask('192.0.2.1')).toBeUndefined();
  });
});
