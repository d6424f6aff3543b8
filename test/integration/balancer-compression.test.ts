// Answers that are compressed on their way: for whom, what they say of themselves, and what happens
// when one of the ends is slow or leaves.
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { brotliDecompressSync, createGunzip, gunzipSync } from 'node:zlib';
import { describe, expect, it, vi } from 'vitest';
import type { Compressors } from '../../packages/platform/src/balancer/policy/compressors.ts';
import type { TestBalancer } from '../support/balancer-server.ts';
import { guarded, type Respond } from '../support/guarded-site.ts';
import { type RawAnswer, RawClient, valuesOf } from '../support/raw-client.ts';

const TEXT = 'All work and no play makes a dull text that is easy to make smaller. '.repeat(200);

async function compressing(respond: Respond, more: object = {}) {
  const { balancer } = await guarded({ policy: { compression: true, ...more }, respond });
  return { balancer, ask: (what: Ask = {}) => ask(balancer.port, what) };
}

interface Ask {
  readonly encodings?: string | undefined;
  readonly method?: string;
  readonly path?: string;
  readonly version?: string;
}

const requestText = ({ encodings = 'gzip', method = 'GET', path = '/', version = '1.1' }: Ask) =>
  `${method} ${path} HTTP/${version}\r\nHost: a.test\r\nAccept-Encoding: ${encodings}\r\n\r\n`;

async function ask(port: number, what: Ask): Promise<RawAnswer> {
  const client = await RawClient.open(port, requestText(what));
  try {
    return await client.answer(what.method);
  } finally {
    client.close();
  }
}

const value = ({ headers }: RawAnswer, name: string): string | undefined =>
  valuesOf(headers, name)[0];
const bytesOf = ({ body }: RawAnswer): Buffer => Buffer.from(body, 'latin1');

/** Answers TEXT with these fields. */
const answering =
  (fields: Record<string, string>, status = 200): Respond =>
  (_, response) =>
    response.writeHead(status, { 'Content-Type': 'text/html; charset=utf-8', ...fields }).end(TEXT);

describe('compression', () => {
  it('sends what the client prefers, and says so', async () => {
    const { ask, balancer } = await compressing(
      answering({ 'Content-Length': String(TEXT.length), ETag: '"abc"', 'Accept-Ranges': 'bytes' }),
    );
    const gzip = await ask();
    expect(gunzipSync(bytesOf(gzip)).toString()).toBe(TEXT);
    expect(value(gzip, 'content-encoding')).toBe('gzip');
    expect(value(gzip, 'vary')).toBe('Accept-Encoding');
    expect(value(gzip, 'etag')).toBe('W/"abc"');
    expect(value(gzip, 'content-length')).toBeUndefined();
    expect(value(gzip, 'accept-ranges')).toBeUndefined();
    expect(balancer.access.at(-1)?.bytes).toBe(gzip.body.length);
    const brotli = await ask({ encodings: 'gzip, deflate, br' });
    expect(value(brotli, 'content-encoding')).toBe('br');
    expect(brotliDecompressSync(bytesOf(brotli)).toString()).toBe(TEXT);
    const preferring = await ask({ encodings: 'br;q=0.5, gzip;q=0.9' });
    expect(value(preferring, 'content-encoding')).toBe('gzip');
  });

  it.each(['', 'identity', 'gzip;q=0', 'deflate', 'gzip;q=0, *;q=0', 'gzip;q=0.1, identity'])(
    'leaves the body alone for Accept-Encoding: %s',
    async (encodings) => {
      const { ask } = await compressing(answering({ ETag: '"abc"' }));
      const answer = await ask({ encodings });
      expect([answer.body, value(answer, 'content-encoding')]).toEqual([TEXT, undefined]);
      expect([value(answer, 'etag'), value(answer, 'vary')]).toEqual(['"abc"', 'Accept-Encoding']);
    },
  );

  it.each([
    ['an image', { 'Content-Type': 'image/png' }],
    ['events', { 'Content-Type': 'text/event-stream' }],
    ['what has no type', { 'Content-Type': '' }],
    ['what is encoded already', { 'Content-Encoding': 'br' }],
    ['what must not be changed', { 'Cache-Control': 'public, No-Transform' }],
  ])('leaves alone %s', async (_, fields) => {
    const { ask } = await compressing(answering(fields));
    const answer = await ask();
    expect(answer.body).toBe(TEXT);
    expect(value(answer, 'vary')).toBeUndefined();
    expect(value(answer, 'content-encoding')).toBe(
      (fields as Record<string, string>)['Content-Encoding'],
    );
  });

  it('leaves alone parts, short answers, HEAD, 304 and clients of HTTP/1.0', async () => {
    const { ask } = await compressing((request, response) => {
      const fields = { 'Content-Type': 'text/plain' };
      if (request.url === '/part')
        response.writeHead(206, { ...fields, 'Content-Range': 'bytes 0-13799/99999' }).end(TEXT);
      else if (request.url === '/304') response.writeHead(304, { ...fields, ETag: '"a"' }).end();
      else if (request.url === '/short')
        response.writeHead(200, { ...fields, 'Content-Length': '5' }).end('short');
      else response.writeHead(200, { ...fields, 'Content-Length': String(TEXT.length) }).end(TEXT);
    });
    expect((await ask({ path: '/part' })).body).toBe(TEXT);
    expect((await ask({ path: '/short' })).body).toBe('short');
    expect(value(await ask({ path: '/304' }), 'content-encoding')).toBeUndefined();
    const head = await ask({ method: 'HEAD' });
    expect(value(head, 'content-length')).toBe(String(TEXT.length));
    const old = await ask({ version: '1.0' });
    expect([old.body, value(old, 'content-encoding')]).toEqual([TEXT, undefined]);
  });

  it('keeps a Vary that is there', async () => {
    const { ask } = await compressing(answering({ Vary: 'Cookie, accept-encoding' }));
    expect(valuesOf((await ask()).headers, 'vary')).toEqual(['Cookie, accept-encoding']);
  });

  it('follows an app that sends as it goes', async () => {
    const { balancer } = await compressing((_, response) => {
      response.writeHead(200, { 'Content-Type': 'text/plain' });
      response.write('first;');
      setTimeout(() => response.end('last'), 500);
    });
    const client = await RawClient.open(balancer.port, requestText({}));
    const gunzip = createGunzip();
    const first = Promise.withResolvers<string>();
    gunzip.on('data', (bytes: Buffer) => first.resolve(bytes.toString()));
    client.socket.once('data', (bytes: Buffer) => {
      const body = bytes.subarray(bytes.indexOf('\r\n\r\n') + 4);
      feedChunks(body, (data) => gunzip.write(data));
      client.socket.on('data', (more: Buffer) => feedChunks(more, (data) => gunzip.write(data)));
    });
    const startedMs = performance.now();
    expect(await first.promise).toBe('first;');
    expect(performance.now() - startedMs).toBeLessThan(400);
    client.close();
  });

  it('serves the next request of the connection behind it', async () => {
    const { balancer } = await compressing(answering({}));
    const client = await RawClient.open(balancer.port, requestText({}).repeat(3));
    for (let n = 0; n < 3; n += 1)
      expect(gunzipSync(bytesOf(await client.answer())).toString()).toBe(TEXT);
    client.close();
  });

  it('cuts the client off when the app breaks off', async () => {
    const { balancer } = await compressing((_, response) => {
      response.writeHead(200, { 'Content-Type': 'text/plain' }).write(TEXT);
      setTimeout(() => response.destroy(), 100);
    });
    const client = await RawClient.open(balancer.port, requestText({}));
    const text = await client.untilClosed();
    expect(text).toMatch(/^HTTP\/1\.1 200 OK/);
    expect(text).not.toMatch(/\r\n0\r\n\r\n$/);
  });

  it('stops an app whose client does not read, and lets go when it leaves', async () => {
    let written = 0;
    let left = false;
    // What does not get smaller fills the way to the client.
    const noise = randomBytes(1_048_576);
    const { balancer } = await compressing((_, response) => {
      response.writeHead(200, { 'Content-Type': 'text/plain' });
      const more = (): void => {
        while (!left) {
          written += noise.length;
          if (!response.write(noise)) return void response.once('drain', more);
        }
      };
      response.on('close', () => (left = true));
      more();
    });
    const client = await RawClient.open(balancer.port, requestText({}));
    client.socket.pause();
    const deadlineMs = performance.now() + 10_000;
    for (let before = -1; written !== before; await sleep(500)) {
      expect(performance.now()).toBeLessThan(deadlineMs);
      before = written;
    }
    expect(written).toBeLessThan(40_000_000);
    client.close();
    await sleep(200);
    expect(left).toBe(true);
    expect(compressorsOf(balancer).taken).toBe(0);
  });

  it('hands on all of a long answer to a client that reads in its own time', async () => {
    const long = TEXT.repeat(300);
    const { balancer } = await compressing((_, response) => {
      response.writeHead(200, { 'Content-Type': 'text/plain' }).end(long);
    });
    const client = await RawClient.open(balancer.port, requestText({}));
    client.socket.pause();
    await sleep(100);
    client.socket.resume();
    expect(gunzipSync(bytesOf(await client.answer())).toString()).toBe(long);
    client.close();
    expect(compressorsOf(balancer).taken).toBe(0);
  });

  it('leaves no compressor behind clients that leave in the middle', async () => {
    const { balancer } = await compressing((_, response) => {
      response.writeHead(200, { 'Content-Type': 'text/plain' }).write(TEXT);
    });
    const clients = await Promise.all(
      Array.from({ length: 150 }, () => RawClient.open(balancer.port, requestText({}))),
    );
    await vi.waitUntil(() => compressorsOf(balancer).taken === 128, { timeout: 10_000 });
    for (const client of clients) client.close();
    await vi.waitUntil(() => compressorsOf(balancer).taken === 0, { timeout: 10_000 });
  });

  it('sees what the headers of the route say', async () => {
    const { ask } = await compressing(answering({}), {
      responseHeaders: { set: { 'Cache-Control': 'no-transform' } },
    });
    expect((await ask()).body).toBe(TEXT);
  });
});

/** Data of whole chunks, as a test server's small writes arrive. */
function feedChunks(bytes: Buffer, onData: (data: Buffer) => void): void {
  for (let at = 0; at < bytes.length;) {
    const lineEnd = bytes.indexOf('\r\n', at);
    const size = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16);
    if (!(size > 0)) return;
    onData(bytes.subarray(lineEnd + 2, lineEnd + 2 + size));
    at = lineEnd + 2 + size + 2;
  }
}

const compressorsOf = (balancer: TestBalancer): Compressors => balancer.router.policies.compressors;
