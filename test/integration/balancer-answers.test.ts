// What the balancer answers itself: unknown hosts, held requests, apps that are not there.
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type Ask,
  ask,
  type Backend,
  httpBackend,
  TestBalancer,
} from '../support/balancer-server.ts';

let balancer: TestBalancer;
const backends: Backend[] = [];

beforeEach(async () => {
  balancer = new TestBalancer();
  await balancer.listen();
});

afterEach(async () => {
  await balancer.close();
  for (const backend of backends.splice(0)) await backend.close();
});

async function serve(
  respond: (request: IncomingMessage, response: ServerResponse) => void,
  options?: Parameters<typeof httpBackend>[1],
): Promise<Backend> {
  const backend = await httpBackend(respond, options);
  backends.push(backend);
  return backend;
}

const hello = (_: IncomingMessage, response: ServerResponse): void => void response.end('hello');
const get = (options?: Ask) => ask(balancer.port, options);

describe('what the balancer answers itself', () => {
  it('names the unknown host, for people and for programs', async () => {
    balancer.to([]);
    const page = await get({ host: '<b>evil.test' });
    expect([page.status, page.headers['content-type']]).toEqual([404, 'text/html; charset=utf-8']);
    expect(page.body).toContain('No site answers at &lt;b&gt;evil.test');
    expect(page.body).toContain(String(page.headers['x-request-id']));
    const json = await get({ host: 'evil.test', headers: { Accept: 'application/json' } });
    expect(JSON.parse(json.body)).toMatchObject({
      ...{ status: 404, detail: 'No site answers at evil.test on this server.' },
      requestId: json.headers['x-request-id'],
    });
  });

  it('says that it is starting while it has no table', async () => {
    expect(await get()).toMatchObject({ status: 503, headers: { 'retry-after': '2' } });
  });

  it('gives the reason of an app that is unavailable', async () => {
    balancer.route({ kind: 'unavailable', reason: 'This app crashed at start.' });
    const page = await get();
    expect(page.status).toBe(503);
    expect(page.body).toContain('This app crashed at start.');
  });

  it('holds requests until the table changes', async () => {
    balancer.route({ kind: 'hold', untilMs: Date.now() + 10_000 });
    const waiting = [get(), get({ method: 'POST', body: 'x' })];
    await sleep(100);
    balancer.to([(await serve((_, response) => response.end('released'))).upstream]);
    for (const answer of await Promise.all(waiting)) expect(answer.body).toBe('released');
  });

  it('holds no longer than it should, and not for clients that left', async () => {
    balancer.route({ kind: 'hold', untilMs: Date.now() + 300 });
    const gone = connect(balancer.port, '127.0.0.1');
    gone.write('GET /gone HTTP/1.1\r\nHost: a.test\r\n\r\n');
    await sleep(50);
    gone.destroy();
    const answer = await get();
    expect([answer.status, answer.headers['retry-after']]).toEqual([503, '10']);
    expect(balancer.access.map((record) => [record.path, record.status])).toEqual([
      ['/gone', 499],
      ['/', 503],
    ]);
  });

  it('holds a bounded number', async () => {
    balancer.route({ kind: 'hold', untilMs: Date.now() + 5_000 });
    const sockets = Array.from({ length: 1_000 }, () => {
      const socket = connect(balancer.port, '127.0.0.1');
      socket.on('error', () => undefined);
      socket.write('GET / HTTP/1.1\r\nHost: a.test\r\n\r\n');
      return socket;
    });
    await Promise.all(sockets.map((socket) => once(socket, 'connect')));
    await sleep(300);
    expect((await get()).status).toBe(503);
    for (const socket of sockets) socket.destroy();
  });

  it('tells an app that went away from one that never was', async () => {
    balancer.to([(await serve(hello)).upstream]);
    balancer.set({ appId: 1, appName: 'app1', routes: [] });
    expect((await get()).status).toBe(404);
  });
});
