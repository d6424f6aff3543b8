// Who is let through to an app, and what the others are told: each policy with a real app behind it.
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { hashPassword } from '../../packages/platform/src/balancer/policy/password.ts';
import type { RoutePolicy } from '../../packages/platform/src/domain/route-policy.ts';
import type { RouteTarget } from '../../packages/platform/src/domain/route-table.ts';
import { type Ask, sendRaw } from '../support/balancer-server.ts';
import { BEHIND_PROXY, from, guarded } from '../support/guarded-site.ts';

describe('allow and deny', () => {
  it('let in who is named, and tell the others nothing', async () => {
    const { ask, balancer } = await guarded({
      policy: { allow: ['192.0.2.0/24', '2001:db8::/32'], deny: ['192.0.2.66'] },
      options: BEHIND_PROXY,
    });
    for (const ip of ['192.0.2.1', '2001:db8::5', '::ffff:192.0.2.9'])
      expect((await ask(from(ip))).status, ip).toBe(200);
    for (const ip of ['192.0.2.66', '192.0.3.1', '2001:db9::1', '127.0.0.1']) {
      const answer = await ask(from(ip));
      expect(answer.status, ip).toBe(403);
      expect(answer.headers['x-request-id']).toBeDefined();
      expect(answer.body).toContain(answer.headers['x-request-id']);
      expect(answer.body).not.toMatch(/192\.0|a\.test|app1/);
    }
    expect(balancer.access.at(-1)).toMatchObject({ status: 403, appId: 1 });
    expect(balancer.access.at(-1)?.instanceId).toBeUndefined();
  });

  it('believe no address that a client names itself', async () => {
    const { ask } = await guarded({ policy: { allow: ['192.0.2.1'] } });
    expect((await ask(from('192.0.2.1'))).status).toBe(403);
    expect((await ask(from('192.0.2.1', { Forwarded: 'for=192.0.2.1' }))).status).toBe(403);
  });

  it('believe no more of a chain than its trusted end', async () => {
    const { ask } = await guarded({ policy: { allow: ['192.0.2.1'] }, options: BEHIND_PROXY });
    expect((await ask(from('192.0.2.1, 198.51.100.7'))).status).toBe(403);
    expect((await ask(from('198.51.100.7, 192.0.2.1'))).status).toBe(200);
  });
});

describe('rateLimit', () => {
  const limit: RoutePolicy = { rateLimit: { requestsPerS: 0.5, burst: 3 } };

  it('lets a burst through, then says when to come again', async () => {
    const { ask } = await guarded({ policy: limit });
    const statuses = [];
    for (let n = 0; n < 4; n += 1) statuses.push((await ask()).status);
    expect(statuses).toEqual([200, 200, 200, 429]);
    const { headers, body } = await ask();
    expect(Number(headers['retry-after'])).toBeGreaterThanOrEqual(1);
    expect(Number(headers['retry-after'])).toBeLessThanOrEqual(2);
    expect(body).toContain(headers['x-request-id']);
  });

  it('counts each client for itself, an IPv6 one by its /64, and no address a client invents', async () => {
    const { ask } = await guarded({ policy: limit, options: BEHIND_PROXY });
    for (let n = 0; n < 3; n += 1) await ask(from(`2001:db8::${n}`));
    expect((await ask(from('2001:db8:0:0:ffff::1'))).status).toBe(429);
    expect((await ask(from('2001:db8:0:1::1'))).status).toBe(200);
    for (let n = 0; n < 3; n += 1) await ask(from(`203.0.113.${n}, 192.0.2.1`));
    expect((await ask(from('203.0.113.9, 192.0.2.1'))).status).toBe(429);
  });

  it('is not renewed by a change of something else', async () => {
    const { ask, change } = await guarded({ policy: limit });
    for (let n = 0; n < 3; n += 1) await ask();
    change({ ...limit, responseHeaders: { set: { 'X-New': '1' } } });
    expect((await ask()).status).toBe(429);
    change({ rateLimit: { requestsPerS: 5, burst: 5 } });
    expect((await ask()).status).toBe(200);
  });

  it('counts a request once, however often it is routed', async () => {
    const { ask, balancer, backend } = await guarded({ policy: limit });
    const hold: RouteTarget = { kind: 'hold', untilMs: Date.now() + 10_000 };
    const set = (target: RouteTarget) =>
      balancer.set({
        ...{ appId: 1, appName: 'app1', policy: limit },
        routes: [{ host: 'a.test', path: '/', target }],
      });
    set(hold);
    const held = ask();
    for (let n = 0; n < 5; n += 1) {
      await sleep(20);
      set(hold);
    }
    set({ kind: 'upstreams', upstreams: [backend.upstream] });
    expect((await held).status).toBe(200);
    expect([(await ask()).status, (await ask()).status, (await ask()).status]).toEqual([
      200, 200, 429,
    ]);
  });
});

describe('redirectToHttps', () => {
  const policy: RoutePolicy = { redirectToHttps: { hstsMaxAgeS: 3600 } };

  it('keeps path and query; only a GET becomes a GET for certain', async () => {
    const { ask } = await guarded({ policy });
    const got = await ask({ path: '/a%20b//c?x=1&y=%2F' });
    expect(got.status).toBe(301);
    expect(got.headers.location).toBe('https://a.test/a%20b//c?x=1&y=%2F');
    expect(got.body).toContain(got.headers['x-request-id']);
    const posted = await ask({ method: 'POST', path: '/form', body: 'x' });
    expect(posted.status).toBe(308);
    expect(posted.headers.location).toBe('https://a.test/form');
    expect(got.headers['strict-transport-security']).toBeUndefined();
  });

  it('leads to the host that was asked for, not to where the path or a header points', async () => {
    const { ask } = await guarded({ policy });
    expect((await ask({ path: '//evil.example/' })).headers.location).toBe(
      'https://a.test//evil.example/',
    );
    const headers = { 'X-Forwarded-Host': 'evil.example', 'X-Forwarded-Proto': 'https' };
    const answer = await ask({ headers });
    expect([answer.status, answer.headers.location]).toEqual([301, 'https://a.test/']);
  });

  it('leaves alone what came by HTTPS to a trusted proxy, and tells browsers to stay there', async () => {
    const { ask } = await guarded({ policy, options: BEHIND_PROXY });
    const secure = await ask({ headers: { 'X-Forwarded-Proto': 'https' } });
    expect(secure.status).toBe(200);
    expect(secure.headers['strict-transport-security']).toBe('max-age=3600');
    expect((await ask({ headers: { 'X-Forwarded-Proto': 'http' } })).status).toBe(301);
    expect((await ask({ headers: { 'X-Forwarded-Proto': 'https, http' } })).status).toBe(301);
  });

  it('lets challenges of authorities through, and nothing that only looks like one', async () => {
    const { ask } = await guarded({ policy });
    const at = async (path: string) => (await ask({ path })).status;
    expect(await at('/.well-known/acme-challenge/Ab_c-9')).toBe(200);
    for (const path of [
      '/.well-known/acme-challenge/',
      '/.well-known/acme-challenge/../../admin',
      '/.well-known/acme-challenge/%2e%2e',
      '/.well-known/acme-challenge/a/b',
      '//.well-known/acme-challenge/a',
      '/.WELL-KNOWN/acme-challenge/a',
      '/x/.well-known/acme-challenge/a',
    ])
      expect(await at(path), path).toBe(301);
  });
});

describe('maintenance', () => {
  it('shows its page to all but the owner, who is told by the address', async () => {
    const policy: RoutePolicy = {
      maintenance: { text: 'Back at <noon>.', retryAfterS: 600, exempt: ['192.0.2.1'] },
    };
    const { ask } = await guarded({ policy, options: BEHIND_PROXY });
    const page = await ask(from('198.51.100.1'));
    expect(page.status).toBe(503);
    expect(page.headers['retry-after']).toBe('600');
    expect(page.body).toContain('Back at &lt;noon&gt;.');
    expect(page.body).toContain(page.headers['x-request-id']);
    expect((await ask(from('192.0.2.1'))).status).toBe(200);
    const json = await ask(from('198.51.100.1', { Accept: 'application/json' }));
    expect(JSON.parse(json.body)).toMatchObject({ status: 503, detail: 'Back at <noon>.' });
  });

  it('takes a page of the owner’s; the request id stays in the header', async () => {
    const { ask } = await guarded({ policy: { maintenance: { html: '<h1>Ours</h1>' } } });
    const page = await ask();
    expect([page.status, page.body]).toEqual([503, '<h1>Ours</h1>']);
    expect(page.headers['content-type']).toContain('text/html');
    expect(page.headers['x-request-id']).toBeDefined();
    expect((await ask({ method: 'HEAD' })).body).toBe('');
  });

  it('can be switched on and off while requests are under way', async () => {
    const { ask, change } = await guarded({
      policy: {},
      respond: (_, response) => void setTimeout(() => response.end('done'), 150),
    });
    const early = ask();
    await sleep(50);
    change({ maintenance: {} });
    expect((await ask()).status).toBe(503);
    expect((await early).body).toBe('done');
    change({});
    expect((await ask()).status).toBe(200);
  });

  it('comes before a hold, and counts for who waits in one', async () => {
    const { ask, balancer } = await guarded({ policy: {} });
    const target: RouteTarget = { kind: 'hold', untilMs: Date.now() + 10_000 };
    const routes = [{ host: 'a.test', path: '/', target }];
    balancer.set({ appId: 1, appName: 'app1', routes });
    const held = ask();
    await sleep(50);
    balancer.set({ appId: 1, appName: 'app1', routes, policy: { maintenance: {} } });
    expect((await held).status).toBe(503);
    expect((await ask()).body).toContain('maintenance');
  });
});

describe('basicAuth', () => {
  let hash = '';
  let other = '';
  beforeAll(async () => {
    hash = await hashPassword('pass:wörd');
    other = await hashPassword('x');
  });
  const policy = (more: object = {}): RoutePolicy => ({
    basicAuth: { realm: 'Staging', users: { ada: hash, jürgen: other }, ...more },
  });
  const as = (credentials: string | Buffer): Ask => ({
    headers: { Authorization: `Basic ${Buffer.from(credentials).toString('base64')}` },
  });

  it('asks who does not say who they are', async () => {
    const { ask } = await guarded({ policy: policy() });
    const answer = await ask();
    expect(answer.status).toBe(401);
    expect(answer.headers['www-authenticate']).toBe('Basic realm="Staging", charset="UTF-8"');
    expect(answer.body).toContain(answer.headers['x-request-id']);
  });

  it('takes colons and other alphabets in passwords, and shows the app none of it', async () => {
    const { ask } = await guarded({ policy: policy() });
    for (const credentials of ['ada:pass:wörd', 'jürgen:x', Buffer.from('jürgen:x', 'latin1')]) {
      const answer = await ask(as(credentials));
      expect(answer.status, String(credentials)).toBe(200);
      expect(answer.body).not.toContain('authorization');
    }
    const composed = 'ada:pass:wo\u0308rd';
    expect((await ask(as(composed))).status).toBe(200);
  });

  it('refuses all else', async () => {
    const { ask } = await guarded({ policy: policy() });
    for (const credentials of [
      ...['ada:pass', 'ada:pass:wörd ', 'ada:', ':', 'ada', '', 'Ada:pass:wörd', 'eve:pass:wörd'],
      ...[`ada:${'x'.repeat(10_000)}`, 'ada:pass:wörd\0', '__proto__:x', 'constructor:x'],
    ])
      expect((await ask(as(credentials))).status, credentials.slice(0, 40)).toBe(401);
    const encoded = Buffer.from('ada:pass:wörd').toString('base64');
    for (const Authorization of [
      ...[`Bearer ${encoded}`, encoded, 'Basic', 'Basic ', `Basic ${encoded}!`],
      ...[`Basic ${encoded}, Basic ${encoded}`, `Basic ${encoded} x`],
    ])
      expect((await ask({ headers: { Authorization } })).status, Authorization).toBe(401);
    const right = as('ada:pass:wörd').headers?.Authorization ?? '';
    const twice = await sendRaw(
      (await guarded({ policy: policy() })).balancer.port,
      `GET / HTTP/1.1\r\nHost: a.test\r\nAuthorization: ${right}\r\nAuthorization: ${right}\r\n\r\n`,
    );
    expect(twice).toMatch(/^HTTP\/1\.1 401 /);
  });

  it('verifies a password once, not for each request', async () => {
    const { ask } = await guarded({ policy: policy() });
    await ask(as('ada:pass:wörd'));
    const startedMs = performance.now();
    for (let n = 0; n < 50; n += 1) expect((await ask(as('ada:pass:wörd'))).status).toBe(200);
    expect(performance.now() - startedMs).toBeLessThan(1_500);
  });

  it('spares exempt paths, by no trick another one', async () => {
    const { ask } = await guarded({ policy: policy({ exemptPaths: ['/health', '/hooks/'] }) });
    const at = async (path: string) => (await ask({ path })).status;
    expect(await at('/health?full=1')).toBe(200);
    expect(await at('/hooks/a/b')).toBe(200);
    for (const path of [
      ...['/health/', '/Health', '/healthx', '//health', '/hooks', '/hooks/../admin'],
      ...['/hooks/%2e%2e/admin', '/hooks/%2E./admin', '/hooks//../admin', '/hooks/..%2fadmin'],
      ...['/hooks/..;/admin', '/hooks/.', '/hooks/..', '/HOOKS/a', '/./hooks/a', '/hooks/a%00'],
    ])
      expect(await at(path), path).toBe(401);
  });

  it('leaves the app its own Authorization on exempt paths, and all of it when told to', async () => {
    const { ask, change } = await guarded({ policy: policy({ exemptPaths: ['/api/'] }) });
    const bearer = await ask({ path: '/api/x', headers: { Authorization: 'Bearer t' } });
    expect(bearer.body).toContain('"authorization":"Bearer t"');
    change(policy({ passesHeader: true }));
    expect((await ask(as('ada:pass:wörd'))).body).toContain('"authorization":"Basic ');
  });

  it('forgets a password that was changed', async () => {
    const { ask, change } = await guarded({ policy: policy() });
    expect((await ask(as('ada:pass:wörd'))).status).toBe(200);
    change({ basicAuth: { users: { ada: other } } });
    expect((await ask(as('ada:pass:wörd'))).status).toBe(401);
    expect((await ask(as('ada:x'))).status).toBe(200);
  });

  it('bounds what guesses cost, and those who are known go on meanwhile', async () => {
    const { ask } = await guarded({ policy: policy() });
    await ask(as('ada:pass:wörd'));
    const guesses = Array.from({ length: 100 }, (_, n) => ask(as(`ada:guess${n}`)));
    await sleep(50);
    const startedMs = performance.now();
    expect((await ask(as('ada:pass:wörd'))).status).toBe(200);
    expect(performance.now() - startedMs).toBeLessThan(1_000);
    const statuses = (await Promise.all(guesses)).map(({ status }) => status);
    expect(new Set(statuses)).toEqual(new Set([401, 503]));
  }, 30_000);

  it('holds a body until it is known who sends it', async () => {
    const { ask } = await guarded({ policy: policy() });
    const body = Buffer.alloc(300_000);
    const answer = await ask({ ...as('ada:pass:wörd'), method: 'POST', body });
    expect(JSON.parse(answer.body)).toMatchObject({ bodyBytes: 300_000 });
  });
});
