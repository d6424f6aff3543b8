import { describe, expect, it } from 'vitest';
import type { Exchange, Outcome } from './exchange.ts';
import { Journey } from './journey.ts';
import { Target } from './target.ts';

const target = (): Target => new Target('i1', { host: '127.0.0.1', port: 1 });
const journey = (repeatable = true): Journey => new Journey({ repeatable } as Exchange);
const notSent: Outcome = { kind: 'not-sent', reason: 'refused' };
const unanswered = (how: { stale?: boolean; reset?: boolean } = {}): Outcome => ({
  kind: 'no-response',
  reason: 'gone',
  stale: false,
  reset: false,
  ...how,
});

describe('Journey', () => {
  it('goes on for ever while nothing was sent, whatever the method', () => {
    const one = journey(false);
    for (let n = 0; n < 50; n += 1) expect(one.mayGoOn(target(), notSent)).toBe(true);
    expect(one.repeating).toBe(false);
  });

  it('repeats once what an instance may have read', () => {
    const one = journey();
    expect(one.mayGoOn(target(), unanswered())).toBe(true);
    expect(one.repeating).toBe(true);
    expect(one.mayGoOn(target(), unanswered())).toBe(false);
  });

  it('repeats what was reset more often, within a bound', () => {
    const one = journey();
    let repeats = 0;
    while (one.mayGoOn(target(), unanswered({ reset: true }))) repeats += 1;
    expect(repeats).toBe(8);
  });

  it('never repeats what cannot be repeated, nor what was answered or waited for long enough', () => {
    expect(journey(false).mayGoOn(target(), unanswered())).toBe(false);
    expect(journey(false).mayGoOn(target(), unanswered({ reset: true }))).toBe(false);
    expect(journey().mayGoOn(target(), { kind: 'timeout' })).toBe(false);
    expect(journey().mayGoOn(target(), { kind: 'done' })).toBe(false);
  });

  it('avoids an instance that failed until the next round, but not for a kept connection', () => {
    const one = journey();
    const [stale, dead] = [target(), target()];
    one.mayGoOn(stale, unanswered({ stale: true }));
    one.mayGoOn(dead, notSent);
    expect([...one.tried]).toEqual([dead]);
    expect(one.nextRound()).toBe(25);
    expect(one.tried.size).toBe(0);
    expect(one.nextRound()).toBe(50);
  });
});
