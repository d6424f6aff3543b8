// The policy of an app, from the control backend to a balancer that acts by it.
import { hasCode } from '@tandem/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AppRoutes } from '../../packages/platform/src/domain/route-table.ts';
import { ask } from '../support/balancer-server.ts';
import { newBalancer } from '../support/guarded-site.ts';
import { NexusFixture } from '../support/nexus-fixture.ts';

let nexus: NexusFixture;

beforeEach(async () => {
  nexus = await NexusFixture.start();
});
afterEach(() => nexus.close());

const routesOf = (appId = 1): AppRoutes => {
  const routes = nexus.resolver.apps.get(appId);
  if (!routes) throw new Error(`app ${appId} has no routes`);
  return routes;
};
const set = (policy: Record<string, unknown>) =>
  nexus.backend.changePolicy('bakery', { set: policy, unset: [] });
const unset = (...keys: string[]) => nexus.backend.changePolicy('bakery', { set: {}, unset: keys });

const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'it was taken',
    (error: unknown) =>
      hasCode(error, 'POLICY_INVALID') ? (error as Error).message : String(error),
  );

describe('the policy of an app', () => {
  it('is in its routes at once, and a balancer acts by it', async () => {
    await nexus.live();
    const balancer = await newBalancer();
    const page = () => ask(balancer.port, { host: 'bakery.localhost' });
    await set({ maintenance: { text: 'Back at noon.' } });
    balancer.set(routesOf());
    expect(await page()).toMatchObject({
      status: 503,
      body: expect.stringContaining('noon') as string,
    });
    await unset('maintenance');
    expect(routesOf().policy).toEqual({});
    const [route] = routesOf().routes;
    if (!route) throw new Error('the app has no route');
    const reason = 'the app itself';
    const target = { kind: 'unavailable' as const, reason };
    balancer.set({ ...routesOf(), routes: [{ ...route, target }] });
    expect((await page()).body).toContain(reason);
  });

  it('is changed key by key', async () => {
    await nexus.live();
    await set({ allow: ['192.0.2.0/24'], rateLimit: { requestsPerS: 5 } });
    await set({ rateLimit: { requestsPerS: 7 } });
    expect(routesOf().policy).toEqual({
      allow: ['192.0.2.0/24'],
      rateLimit: { requestsPerS: 7 },
    });
    expect(await unset('allow', 'unknown')).toEqual({
      policy: { rateLimit: { requestsPerS: 7 } },
    });
    expect(await nexus.backend.getPolicy('bakery')).toEqual({
      policy: { rateLimit: { requestsPerS: 7 } },
    });
  });

  it('outlives deploys and may be set before the first', async () => {
    await nexus.backend.createApp('bakery');
    await set({ maintenance: {} });
    await nexus.live();
    expect(routesOf().policy).toEqual({ maintenance: {} });
    await nexus.finished((await nexus.backend.restart('bakery')).deploy);
    expect(routesOf().policy).toEqual({ maintenance: {} });
  });

  it('is refused when it is wrong, and what was before stays', async () => {
    await nexus.live();
    await set({ compression: true });
    expect(await codeOf(set({ maintainance: {} }))).toContain('maintainance');
    expect(await codeOf(set({ allow: ['nobody'] }))).toContain('allow.0: an address or a range');
    expect(await codeOf(set({ maintenance: 'on' }))).toContain('maintenance');
    expect(await codeOf(nexus.backend.changePolicy('other', { set: {}, unset: [] }))).toContain(
      'there is no app "other"',
    );
    expect(routesOf().policy).toEqual({ compression: true });
  });

  it('gives out no hash of a password', async () => {
    await nexus.live();
    const hash = `$scrypt$ln=15,r=8,p=1$${'a'.repeat(22)}$${'b'.repeat(43)}`;
    const view = await set({ basicAuth: { users: { ada: hash } } });
    expect(view).toEqual({ policy: { basicAuth: { users: { ada: '' } } } });
    expect(JSON.stringify(await nexus.backend.getPolicy('bakery'))).not.toContain('bbb');
    expect(routesOf().policy?.basicAuth?.users).toEqual({ ada: hash });
  });

  it('goes with the app', async () => {
    await nexus.live();
    await set({ maintenance: {} });
    await nexus.backend.destroyApp('bakery');
    expect(await nexus.repository.policy(1)).toBeUndefined();
  });
});
