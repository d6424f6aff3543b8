// How much an app takes, what is changed on the way, and where a share of the requests goes.
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { ask, type Ask, sendRaw } from '../support/balancer-server.ts';
import {
  BEHIND_PROXY,
  echo,
  from,
  guarded,
  newBackend,
  newBalancer,
  type Respond,
} from '../support/guarded-site.ts';
import { RawClient, valuesOf } from '../support/raw-client.ts';

describe('limits', () => {
  it('refuse a body at once that says it is too long, before a byte of it was asked for', async () => {
    const { balancer, backend } = await guarded({
      policy: { limits: { requestBodyBytesMax: 10 } },
    });
    for (const length of [11, 70_000, 10_000_000_000]) {
      const client = await RawClient.open(
        balancer.port,
        `POST / HTTP/1.1\r\nHost: a.test\r\nExpect: 100-continue\r\nContent-Length: ${length}\r\n\r\n`,
      );
      const answer = await client.answer();
      expect(answer.status, String(length)).toBe(413);
      expect(valuesOf(answer.headers, 'connection')).toEqual(['close']);
      const [requestId = ''] = valuesOf(answer.headers, 'x-request-id');
      expect(answer.body).toContain(requestId);
      client.close();
    }
    expect(backend.connections).toBe(0);
  });

  it('cut a chunked body off where it is too long', async () => {
    const aborted = Promise.withResolvers<void>();
    const { balancer } = await guarded({
      policy: { limits: { requestBodyBytesMax: 100_000 } },
      respond: (request) => void request.resume().on('error', () => aborted.resolve()),
    });
    const client = await RawClient.open(
      balancer.port,
      'POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n',
    );
    const chunk = `9c40\r\n${'x'.repeat(40_000)}\r\n`;
    client.write(chunk);
    client.write(chunk);
    expect(await client.isSilent(100)).toBe(true);
    client.write(chunk);
    expect((await client.answer()).status).toBe(413);
    await client.untilClosed();
    await aborted.promise;
  });

  it('cut the connection when the app answered before', async () => {
    const { balancer } = await guarded({
      policy: { limits: { requestBodyBytesMax: 10 } },
      respond: (_, response) => void response.writeHead(200).write('early'),
    });
    const client = await RawClient.open(
      balancer.port,
      'POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n',
    );
    await sleep(100);
    client.write(`a\r\n${'x'.repeat(10)}\r\n`);
    expect(await client.untilClosed()).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*early\r\n$/);
  });

  it('take what is just as long as allowed', async () => {
    const { ask, balancer } = await guarded({ policy: { limits: { requestBodyBytesMax: 10 } } });
    expect((await ask({ method: 'POST', body: 'x'.repeat(10) })).status).toBe(200);
    const chunked = await sendRaw(
      balancer.port,
      'POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n' +
        '5\r\nxxxxx\r\n5;ext=1\r\nxxxxx\r\n0\r\nTrailer: not counted\r\n\r\n',
    );
    expect(chunked).toContain('"bodyBytes":10');
    const { ask: none } = await guarded({ policy: { limits: { requestBodyBytesMax: 0 } } });
    expect((await none()).status).toBe(200);
    expect((await none({ method: 'POST', body: 'x' })).status).toBe(413);
  });

  it('give an app the time its route says', async () => {
    const { ask } = await guarded({
      policy: { limits: { responseTimeoutMs: 100 } },
      respond: (_, response) => void setTimeout(() => response.end('late'), 1_500),
    });
    expect((await ask()).status).toBe(504);
    expect((await ask({ method: 'POST', body: 'x' })).status).toBe(504);
  });

  it('hold the number of requests, let some wait in turn, and refuse the rest', async () => {
    let underWay = 0;
    let most = 0;
    const { ask } = await guarded({
      policy: { limits: { requestsMax: 2, waitingMax: 2 } },
      respond: (_, response) => {
        most = Math.max(most, (underWay += 1));
        setTimeout(() => {
          underWay -= 1;
          response.end('ok');
        }, 100);
      },
    });
    const statuses = (await Promise.all(Array.from({ length: 7 }, () => ask()))).map(
      ({ status }) => status,
    );
    expect(statuses.toSorted()).toEqual([200, 200, 200, 200, 503, 503, 503]);
    expect(most).toBe(2);
    expect((await ask()).status).toBe(200);
  });

  it('give back the places of clients that leave, waiting or served', async () => {
    const { ask, balancer } = await guarded({
      policy: { limits: { requestsMax: 1, waitingMax: 2 } },
      respond: (request, response) => void (request.url === '/' && response.end('ok')),
    });
    const hang = 'GET /hang HTTP/1.1\r\nHost: a.test\r\n\r\n';
    const served = await RawClient.open(balancer.port, hang);
    await sleep(50);
    const waiting = [
      await RawClient.open(balancer.port, hang),
      await RawClient.open(balancer.port, hang),
    ];
    await sleep(50);
    expect((await ask()).status).toBe(503);
    for (const client of waiting) client.close();
    await sleep(50);
    const next = ask();
    await sleep(50);
    served.close();
    expect((await next).body).toBe('ok');
  });

  it('count a place once when the rest of the policy changes', async () => {
    const limits = { requestsMax: 1, waitingMax: 0 };
    const { ask, change } = await guarded({
      policy: { limits },
      respond: (_, response) => void setTimeout(() => response.end('ok'), 200),
    });
    const first = ask();
    await sleep(50);
    change({ limits, responseHeaders: { set: { 'X-New': '1' } } });
    expect((await ask()).status).toBe(503);
    expect((await first).status).toBe(200);
    expect((await ask()).headers['x-new']).toBe('1');
  });
});

describe('headers', () => {
  it('are set, added and removed both ways', async () => {
    const { ask } = await guarded({
      policy: {
        requestHeaders: {
          set: { 'X-Set': 'new' },
          add: { 'X-Add': '2' },
          remove: ['X-Gone', 'cookie'],
        },
        responseHeaders: {
          set: { 'X-Frame-Options': 'DENY', Server: 'ours' },
          add: { 'Set-Cookie': 'b=2' },
          remove: ['x-powered-by'],
        },
      },
      respond: (request, response) => {
        response.setHeader('X-Frame-Options', 'SAMEORIGIN');
        response.setHeader('Set-Cookie', 'a=1');
        response.setHeader('X-Powered-By', 'something');
        echo(request, response);
      },
    });
    const headers = { 'x-SET': 'old', 'X-Add': '1', 'X-GONE': '1', Cookie: 'c=1', 'X-Kept': '1' };
    const answer = await ask({ headers });
    const seen = (JSON.parse(answer.body) as { headers: Record<string, string> }).headers;
    expect(seen).toMatchObject({ 'x-set': 'new', 'x-add': '1, 2', 'x-kept': '1', host: 'a.test' });
    expect(Object.keys(seen)).not.toContain('x-gone');
    expect(Object.keys(seen)).not.toContain('cookie');
    expect(answer.headers).toMatchObject({ 'x-frame-options': 'DENY', server: 'ours' });
    expect(answer.headers['set-cookie']).toEqual(['a=1', 'b=2']);
    expect(answer.headers['x-powered-by']).toBeUndefined();
  });

  it('go with answers without a body, errors and HEAD too', async () => {
    const { ask } = await guarded({
      policy: { responseHeaders: { set: { 'X-Ours': '1' } } },
      respond: (request, response) => response.writeHead(request.url === '/304' ? 304 : 500).end(),
    });
    for (const what of [{ path: '/304' }, { path: '/500' }, { method: 'HEAD' }])
      expect((await ask(what)).headers['x-ours']).toBe('1');
  });
});

describe('canary', () => {
  const named =
    (name: string): Respond =>
    (_, response) =>
      response.end(name);

  async function split(canary: { weight: number; sticky?: 'client' | 'cookie' }) {
    const balancer = await newBalancer(BEHIND_PROXY);
    const [main, trial] = [await newBackend(named('main')), await newBackend(named('trial'))];
    const set = (weight: number): void =>
      balancer.route({
        ...{ kind: 'upstreams', upstreams: [main.upstream] },
        canary: { ...canary, weight, upstreams: [trial.upstream] },
      });
    set(canary.weight);
    return { set, trial, ask: (what?: Ask) => ask(balancer.port, what) };
  }

  it('takes its share of the requests', async () => {
    const { ask, set } = await split({ weight: 0.5 });
    const bodies = [];
    for (let n = 0; n < 100; n += 1) bodies.push((await ask()).body);
    const share = bodies.filter((body) => body === 'trial').length;
    expect(share).toBeGreaterThan(20);
    expect(share).toBeLessThan(80);
    set(0);
    for (let n = 0; n < 10; n += 1) expect((await ask()).body).toBe('main');
    set(1);
    for (let n = 0; n < 10; n += 1) expect((await ask()).body).toBe('trial');
  });

  it('keeps a client by its cookie, and takes more over as the weight grows', async () => {
    const { ask, set } = await split({ weight: 0.5, sticky: 'cookie' });
    const first = await ask();
    const [cookie = ''] = first.headers['set-cookie'] ?? [];
    expect(cookie).toMatch(/^tandem-draw=\d{4}; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Lax$/);
    const Cookie = `other=1; ${cookie.split(';')[0] ?? ''}`;
    for (let n = 0; n < 10; n += 1) {
      const again = await ask({ headers: { Cookie } });
      expect(again.body).toBe(first.body);
      expect(again.headers['set-cookie']).toBeUndefined();
    }
    set(1);
    expect((await ask({ headers: { Cookie } })).body).toBe('trial');
    for (const forged of ['tandem-draw=x', 'tandem-draw=99999', 'xtandem-draw=0001'])
      expect((await ask({ headers: { Cookie: forged } })).headers['set-cookie']).toHaveLength(1);
  });

  it('keeps a client by its address', async () => {
    const { ask } = await split({ weight: 0.5, sticky: 'client' });
    const seen = new Set<string>();
    for (let n = 0; n < 30; n += 1) {
      const bodies = [];
      for (let m = 0; m < 3; m += 1) bodies.push((await ask(from(`192.0.2.${n}`))).body);
      expect(new Set(bodies).size).toBe(1);
      seen.add(bodies[0] ?? '');
    }
    expect([...seen].toSorted()).toEqual(['main', 'trial']);
  });

  it('falls back to the other group when one is gone', async () => {
    const { ask, trial } = await split({ weight: 1, sticky: 'cookie' });
    await trial.close();
    for (let n = 0; n < 10; n += 1) {
      const answer = await ask();
      expect(answer.body).toBe('main');
      expect(answer.headers['set-cookie']).toHaveLength(1);
    }
  });
});
