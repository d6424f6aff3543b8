// What certificate authorities look for over HTTP is answered before anything else the host has.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BalancerChallenge } from '../../packages/platform/src/domain/route-table.ts';
import { ask, httpBackend, TestBalancer, type Backend } from '../support/balancer-server.ts';

const PATH = '/.well-known/acme-challenge/';
const challenge = (host: string, token: string): BalancerChallenge => ({
  kind: 'http-01',
  host,
  token,
  content: `${token}.thumbprint`,
});

let balancer: TestBalancer;
let backend: Backend;

beforeEach(async () => {
  balancer = new TestBalancer();
  await balancer.listen();
  backend = await httpBackend((request, response) => response.end(`app ${request.url}`));
});
afterEach(async () => {
  await balancer.close();
  await backend.close();
});

function present(...challenges: BalancerChallenge[]): void {
  const { table } = balancer.router;
  expect(table.applyUpdate({ epoch: table.epoch + 1, challenges })).toBe(true);
}

describe('a challenge', () => {
  it('is answered in plain text, before the route of the host, and only where it stands', async () => {
    balancer.to([backend.upstream]);
    present(challenge('a.test', 'tok-1'), challenge('b.test', 'tok-2'));
    const answer = await ask(balancer.port, { path: `${PATH}tok-1`, host: 'A.test:5002' });
    expect(answer).toMatchObject({ status: 200, body: 'tok-1.thumbprint' });
    expect(answer.headers['content-type']).toBe('text/plain');
    const other = await ask(balancer.port, { path: `${PATH}tok-2` });
    expect(other.body).toBe(`app ${PATH}tok-2`);
    expect((await ask(balancer.port, { path: `${PATH}tok-1/x` })).body).toContain('app ');
  });

  it('is answered while the app cannot, where no app is, and beside a wildcard', async () => {
    balancer.route({ kind: 'unavailable', reason: 'nothing deployed' });
    present(challenge('a.test', 'one'), challenge('x.y.test', 'two'));
    expect((await ask(balancer.port, { path: `${PATH}one` })).body).toBe('one.thumbprint');
    expect((await ask(balancer.port, { path: `${PATH}two`, host: 'x.y.test' })).status).toBe(200);
    balancer.route(
      { kind: 'upstreams', upstreams: [backend.upstream] },
      { host: '*.y.test', appId: 2 },
    );
    expect((await ask(balancer.port, { host: 'x.y.test' })).body).toBe('app /');
    // What the log of an app shows are its visitors.
    expect(balancer.access.filter(({ path }) => path.startsWith(PATH))).not.toContainEqual(
      expect.objectContaining({ appId: expect.any(Number) as number }),
    );
  });

  it('is gone once it is taken down', async () => {
    balancer.to([backend.upstream]);
    present(challenge('a.test', 'tok'));
    expect((await ask(balancer.port, { path: `${PATH}tok` })).body).toBe('tok.thumbprint');
    present();
    expect((await ask(balancer.port, { path: `${PATH}tok` })).body).toBe(`app ${PATH}tok`);
  });
});
