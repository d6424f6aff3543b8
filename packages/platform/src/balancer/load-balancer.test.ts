import { describe, expect, it } from 'vitest';
import { LoadBalancer } from './load-balancer.ts';
import { type Flight, Target } from './target.ts';

const targetOf = (id: string, outstanding = 0): Target => {
  const target = new Target(id, { host: '127.0.0.1', port: 1 });
  for (let n = 0; n < outstanding; n += 1) target.begin(flight());
  return target;
};
const flight = (): Flight => ({ kind: 'request', place: 0, cut: () => undefined });
const none = new Set<Target>();

describe('LoadBalancer', () => {
  it('has nobody to choose without targets, or when all were tried', () => {
    expect(new LoadBalancer([]).choose(none)).toBeUndefined();
    const only = targetOf('a');
    expect(new LoadBalancer([only]).choose(new Set([only]))).toBeUndefined();
    expect(new LoadBalancer([only]).choose(none)).toBe(only);
  });

  it('takes the less busy of two', () => {
    const [busy, idle] = [targetOf('busy', 3), targetOf('idle', 1)];
    for (const random of [0, 0.3, 0.6, 0.99])
      expect(new LoadBalancer([busy, idle], () => random).choose(none)).toBe(idle);
  });

  it('spreads over all', () => {
    const targets = ['a', 'b', 'c', 'd'].map((id) => targetOf(id));
    const balancer = new LoadBalancer(targets);
    for (let n = 0; n < 400; n += 1) balancer.choose(none)?.begin(flight());
    for (const target of targets) expect(target.outstanding).toBeGreaterThan(80);
  });

  it('leaves out a failed target while another is there', () => {
    const [down, up] = [targetOf('down'), targetOf('up', 50)];
    down.health.failed(1_000);
    const balancer = new LoadBalancer([down, up]);
    expect(balancer.choose(none, 1_100)).toBe(up);
    expect(balancer.choose(new Set([up]), 1_100)).toBe(down);
    expect(balancer.choose(none, 1_600)).toBe(down);
  });

  it('tries even a failed one when there is no other', () => {
    const down = targetOf('down');
    down.health.failed(1_000);
    expect(new LoadBalancer([down]).choose(none, 1_001)).toBe(down);
  });
});
