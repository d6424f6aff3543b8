import { describe, expect, it } from 'vitest';
import type { Canary as CanaryRule } from '../domain/route-table.ts';
import { Canary } from './canary.ts';
import type { Exchange } from './exchange.ts';
import { journeyOf } from './journey.ts';
import { LoadBalancer } from './load-balancer.ts';
import { Target } from './target.ts';

const target = (name: string): Target => new Target(name, { host: '127.0.0.1', port: 1 });

const newExchange = (clientIp = '192.0.2.1', cookie?: string): Exchange =>
  ({
    origin: { clientIp, proto: 'http' },
    header: () => cookie,
    draw: undefined,
  }) as unknown as Exchange;

function split(rule: Partial<CanaryRule>, random = (): number => 0.5) {
  const [main, trial] = [target('main'), target('trial')];
  const canary = new Canary(
    { weight: 0.5, upstreams: [], ...rule },
    new LoadBalancer([main]),
    new LoadBalancer([trial]),
    random,
  );
  const choose = (exchange = newExchange()): string | undefined =>
    canary.choose(exchange)?.instanceId;
  return { main, trial, choose };
}

const failing = (one: Target): void => {
  for (let n = 0; n < 10; n += 1) one.health.failed(performance.now());
};

describe('Canary', () => {
  it('follows the draw', () => {
    for (const [weight, draw, name] of [
      [0, 0, 'main'],
      [0.1, 0.09, 'trial'],
      [0.1, 0.1, 'main'],
      [1, 0.999, 'trial'],
    ] as const)
      expect(split({ weight }, () => draw).choose()).toBe(name);
  });

  it('draws once for a request, however often it is routed', () => {
    let draws = 0;
    const { choose } = split({}, () => (draws += 1) / 10);
    const exchange = newExchange();
    choose(exchange);
    choose(exchange);
    expect(draws).toBe(1);
  });

  it('sends an address to the same group always, and about as many as the weight says', () => {
    const few = split({ weight: 0.2, sticky: 'client' });
    const more = split({ weight: 0.4, sticky: 'client' });
    const ips = Array.from({ length: 4_000 }, (_, n) => `10.0.${n >> 8}.${n & 255}`);
    const trialOf = ({ choose }: typeof few) =>
      new Set(ips.filter((ip) => choose(newExchange(ip)) === 'trial'));
    const [first, second] = [trialOf(few), trialOf(more)];
    expect(trialOf(few)).toEqual(first);
    expect(Math.abs(first.size - 800)).toBeLessThan(120);
    expect(Math.abs(second.size - 1_600)).toBeLessThan(150);
    expect([...first].every((ip) => second.has(ip))).toBe(true);
  });

  it('believes a draw in a cookie, and gives one to who has none', () => {
    const { choose } = split({ sticky: 'cookie' });
    expect(choose(newExchange('::1', 'a=b; tandem-draw=0499'))).toBe('trial');
    expect(choose(newExchange('::1', 'a=b; tandem-draw=5000'))).toBe('main');
    const known = newExchange('::1', 'tandem-draw=4999');
    choose(known);
    expect(known.treatment).toBeUndefined();
    const fresh = newExchange('::1');
    choose(fresh);
    expect(fresh.treatment?.answer).toBeDefined();
  });

  it('takes the other group when one is not well, and either when neither is', () => {
    const { choose, main, trial } = split({ weight: 1 });
    failing(trial);
    expect(choose()).toBe('main');
    failing(main);
    expect(choose()).toBe('trial');
  });

  it('goes through both groups before it gives up', () => {
    const { choose, main, trial } = split({ weight: 1 });
    const exchange = newExchange();
    const { tried } = journeyOf(exchange);
    tried.add(trial);
    expect(choose(exchange)).toBe('main');
    tried.add(main);
    expect(choose(exchange)).toBeUndefined();
  });
});
