import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { probe } from './probe.ts';
import { waitUntilReady } from './start-probe.ts';

const servers: Server[] = [];
const at = async (answer: (response: ServerResponse) => void) => {
  const server = createServer((_request, response) => answer(response));
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { path: '/', host: 'shop.example', port, startTimeoutMs: 2_000 };
};
const redirect =
  (location: string, headers: Record<string, string> = {}) =>
  (response: ServerResponse): void => {
    response.writeHead(301, { location, ...headers }).end();
  };

afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

describe('probe', () => {
  it('notices an app that sends to https whoever came by https', async () => {
    const spec = await at(redirect('https://shop.example/'));
    expect(await probe(spec, ['127.0.0.1'], 1_000)).toMatchObject({
      kind: 'answered',
      status: 301,
      redirectsToItself: true,
    });
  });

  it.each([
    ['another host', redirect('https://www.shop.example/')],
    ['another path', redirect('https://shop.example/en/')],
    ['a path alone', redirect('/login')],
    ['itself, with a cookie', redirect('https://shop.example/', { 'set-cookie': 'seen=1' })],
    [
      'nowhere',
      (response: ServerResponse): void => {
        response.end('hello');
      },
    ],
  ])('takes a redirect to %s for a sign of life', async (_name, answer) => {
    const spec = await at(answer);
    const outcome = await probe(spec, ['127.0.0.1'], 1_000);
    expect(outcome).toMatchObject({ redirectsToItself: false });
  });

  it('fails the start of one that loops', async () => {
    const spec = await at(redirect('https://shop.example/'));
    const clock = {
      nowMs: () => Date.now(),
      monotonicMs: () => performance.now(),
      sleep: (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms)),
    };
    const start = {
      spec,
      addresses: ['127.0.0.1'],
      pid: process.pid,
      name: 'web.1',
      clock,
      signal: AbortSignal.timeout(5_000),
    };
    await expect(waitUntilReady(start)).rejects.toMatchObject({
      code: 'HTTPS_REDIRECT_LOOP',
      message: expect.stringContaining('https://shop.example/') as string,
    });
  });
});
