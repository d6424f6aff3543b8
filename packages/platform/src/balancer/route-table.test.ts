import { describe, expect, it } from 'vitest';
import type { AppRoutes, BalancerChallenge } from '../domain/route-table.ts';
import { RouteTable } from './route-table.ts';

const app = (appId: number, ...hosts: string[]): AppRoutes => ({
  appId,
  appName: `app${appId}`,
  routes: hosts.map((host) => ({ host, path: '/', target: { kind: 'upstreams', upstreams: [] } })),
});

function setUp() {
  const changed: number[] = [];
  const challenged: (readonly BalancerChallenge[])[] = [];
  const table = new RouteTable({
    appChanged: ({ appId }) => changed.push(appId),
    challengesChanged: (challenges) => challenged.push(challenges),
  });
  return { table, changed, challenged };
}

describe('RouteTable', () => {
  it('applies updates in order, ignores old ones, and asks for a snapshot at a gap', () => {
    const { table, changed } = setUp();
    table.applySnapshot({ epoch: 5, apps: [app(1, 'a.test')] });
    expect(table.applyUpdate({ epoch: 6, app: app(2, 'b.test') })).toBe(true);
    expect(table.applyUpdate({ epoch: 6, app: app(2) })).toBe(true);
    expect(table.applyUpdate({ epoch: 8, app: app(2) })).toBe(false);
    expect([table.epoch, changed]).toEqual([6, [1, 2]]);
    expect(table.match('b.test', '/')?.appId).toBe(2);
  });

  it('does not go back to an older snapshot', () => {
    const { table } = setUp();
    table.applySnapshot({ epoch: 5, apps: [app(1, 'a.test')] });
    table.applySnapshot({ epoch: 4, apps: [] });
    expect(table.match('a.test', '/')?.appId).toBe(1);
  });

  it('tells of apps that changed or left, not of those that did not', () => {
    const { table, changed } = setUp();
    table.applySnapshot({ epoch: 1, apps: [app(1, 'a.test'), app(2, 'b.test'), app(3, 'c.test')] });
    changed.length = 0;
    table.applySnapshot({ epoch: 9, apps: [app(1, 'a.test'), app(3, 'd.test')] });
    expect(changed).toEqual([2, 3]);
    expect(table.match('b.test', '/')).toBeUndefined();
    expect(table.snapshot()).toEqual({ epoch: 9, apps: [app(1, 'a.test'), app(3, 'd.test')] });
  });

  it('carries challenges in the same epochs, and forgets those a snapshot lacks', () => {
    const { table, challenged } = setUp();
    const challenge = { kind: 'http-01', host: 'a.test', token: 't', content: 't.k' } as const;
    table.applySnapshot({ epoch: 5, apps: [app(1, 'a.test')] });
    expect(table.applyUpdate({ epoch: 6, challenges: [challenge] })).toBe(true);
    expect(table.snapshot()).toEqual({
      epoch: 6,
      apps: [app(1, 'a.test')],
      challenges: [challenge],
    });
    expect(table.applyUpdate({ epoch: 7, app: app(2, 'b.test') })).toBe(true);
    table.applySnapshot({ epoch: 8, apps: [] });
    expect(challenged).toEqual([[challenge], []]);
    expect(table.snapshot()).toEqual({ epoch: 8, apps: [] });
  });
});
