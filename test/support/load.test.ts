import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { startLoad } from './load-process.ts';
import type { LoadRequest } from './load.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.closeAllConnections();
});

const GET: LoadRequest = { method: 'GET', path: '/', expectStatus: [200], expectText: 'whole' };
const POST: LoadRequest = { method: 'POST', path: '/form', body: 'a=1', expectStatus: [302] };

async function loadFor(ms: number, answer: RequestListener) {
  const server = createServer(answer).listen(0, '127.0.0.1');
  servers.push(server);
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  const load = await startLoad({
    port,
    host: 'app.localhost',
    connections: 4,
    requests: [GET, POST],
    timeoutMs: 2_000,
  });
  await sleep(ms);
  const report = await load.stop();
  server.close();
  return report;
}

it('counts no failure when all is well, and mixes methods', async () => {
  const report = await loadFor(300, (incoming, answer) => {
    incoming.resume();
    const isRight = incoming.headers.host === 'app.localhost';
    answer.statusCode = incoming.method === 'POST' ? 302 : isRight ? 200 : 400;
    answer.end('the whole page');
  });
  expect(report.failures).toEqual({});
  expect(report.requests).toBeGreaterThan(20);
  expect(report.methods['GET']).toBeGreaterThan(5);
  expect(report.methods['POST']).toBeGreaterThan(5);
});

it('counts wrong statuses, cut answers and closed connections', async () => {
  let count = 0;
  const report = await loadFor(300, (incoming, answer) => {
    incoming.resume();
    count += 1;
    if (incoming.method === 'POST') answer.writeHead(500).end('oops');
    else if (count % 2 === 0) answer.socket?.destroy();
    else answer.end('half a page');
  });
  expect(report.failed).toBe(report.requests);
  expect(Object.keys(report.failures).join('\n')).toMatch(/POST \/form: status 500: oops/);
});
