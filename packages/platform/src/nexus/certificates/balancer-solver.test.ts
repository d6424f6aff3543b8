import { describe, expect, it } from 'vitest';
import type { BalancerChallenge } from '../../domain/route-table.ts';
import type { Challenge } from '../../ports/certificate-authority.ts';
import { BalancerSolver } from './balancer-solver.ts';

const http = (token: string): Challenge & BalancerChallenge => ({
  kind: 'http-01',
  host: 'a.example',
  token,
  content: `${token}.key`,
});

function setUp({ live = [] as string[], silent = [] as string[], acknowledged = ['b-0'] } = {}) {
  const set: (readonly BalancerChallenge[])[] = [];
  const waited: number[] = [];
  const solver = new BalancerSolver({
    kinds: ['http-01'],
    resolver: {
      setChallenges: (challenges) => Promise.resolve(set.push(challenges)),
      waitAcknowledged: (epoch) => {
        waited.push(epoch);
        return Promise.resolve({ acknowledged, silent });
      },
      balancers: () =>
        [...acknowledged, ...live].map((id) => ({
          id,
          pid: 1,
          epoch: 1,
          lastSeenMs: 0,
          live: true,
        })),
    },
  });
  return { solver, set, waited };
}

const { signal } = new AbortController();

describe('challenges through the balancers', () => {
  it('stand side by side, are waited for, and are taken down one by one', async () => {
    const { solver, set, waited } = setUp();
    await Promise.all([solver.present(http('t1'), signal), solver.present(http('t2'), signal)]);
    await solver.cleanup(http('t1'));
    await solver.cleanup(http('t2'));
    await solver.cleanup(http('t2'));
    expect(set.map((challenges) => challenges.length)).toEqual([1, 2, 1, 0]);
    expect(set[2]).toEqual([http('t2')]);
    expect(waited).toEqual([1, 2]);
  });

  it('a balancer that nobody hears of does not stand in the way', async () => {
    const { solver } = setUp({ silent: ['b-1'] });
    await solver.present(http('t'), signal);
  });

  it('fail where a live balancer would not answer', async () => {
    const { solver } = setUp({ silent: ['b-1'], live: ['b-1'] });
    await expect(solver.present(http('t'), signal)).rejects.toMatchObject({
      code: 'CHALLENGE_NOT_PRESENTED',
      message: expect.stringContaining('b-1') as string,
    });
  });

  it('fail where no balancer runs', async () => {
    const { solver } = setUp({ acknowledged: [] });
    await expect(solver.present(http('t'), signal)).rejects.toMatchObject({
      code: 'CHALLENGE_NOT_PRESENTED',
    });
  });

  it('no DNS record is written', async () => {
    const { solver, set } = setUp();
    const record = {
      kind: 'dns-01',
      host: 'a.example',
      name: '_acme-challenge',
      value: 'v',
    } as const;
    await expect(solver.present(record, signal)).rejects.toThrow('DNS');
    expect(set).toEqual([]);
  });
});
