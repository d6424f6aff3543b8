// Hostile bytes: whatever could mean one thing to us and another to the app behind is refused, and
// what is refused never gets there.
import type { Socket } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Backend, rawBackend, sendRaw, TestBalancer } from '../support/balancer-server.ts';

const balancer = new TestBalancer();
let backend: Backend;
/** All that reached the app. */
let received = '';

beforeAll(async () => {
  backend = await rawBackend((socket: Socket) => {
    let pending = '';
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString('latin1');
      pending += chunk.toString('latin1');
      const ends = pending.split('\r\n\r\n').length - 1;
      if (ends === 0) return;
      pending = '';
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    });
  });
  await balancer.listen();
  balancer.to([backend.upstream]);
});

afterAll(async () => {
  await balancer.close();
  await backend.close();
});

beforeEach(() => {
  received = '';
});

const HOST = 'Host: a.test\r\n';
const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: a.test\r\n\r\n';

describe('refused with 4xx, and not forwarded', () => {
  it.each([
    [
      'both framings',
      `POST / HTTP/1.1\r\n${HOST}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`,
    ],
    [
      'both framings, other order',
      `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n${SMUGGLED}`,
    ],
    [
      'two lengths',
      `POST / HTTP/1.1\r\n${HOST}Content-Length: 0\r\nContent-Length: ${SMUGGLED.length}\r\n\r\n${SMUGGLED}`,
    ],
    [
      'two equal lengths',
      `POST / HTTP/1.1\r\n${HOST}Content-Length: 1\r\nContent-Length: 1\r\n\r\nx`,
    ],
    ['a list of lengths', `POST / HTTP/1.1\r\n${HOST}Content-Length: 1, 1\r\n\r\nx`],
    ['a signed length', `POST / HTTP/1.1\r\n${HOST}Content-Length: +1\r\n\r\nx`],
    ['a negative length', `POST / HTTP/1.1\r\n${HOST}Content-Length: -1\r\n\r\nx`],
    ['a hexadecimal length', `POST / HTTP/1.1\r\n${HOST}Content-Length: 0x1\r\n\r\nx`],
    [
      'an endless length',
      `POST / HTTP/1.1\r\n${HOST}Content-Length: 99999999999999999999\r\n\r\nx`,
    ],
    ['an empty length', `POST / HTTP/1.1\r\n${HOST}Content-Length: \r\n\r\nx`],
    ['an unknown coding', `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: gzip\r\n\r\nx`],
    [
      'a coding before chunked',
      `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
    ],
    [
      'a coding after chunked',
      `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n`,
    ],
    [
      'chunked twice',
      `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    ],
    ['chunked misspelt', `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`],
    [
      'chunked with a tab',
      `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n`,
    ],
    [
      'chunked in HTTP/1.0',
      `POST / HTTP/1.0\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    ],
    ['a space before the colon', `POST / HTTP/1.1\r\n${HOST}Content-Length : 1\r\n\r\nx`],
    [
      'a coding with a space before the colon',
      `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n`,
    ],
    ['a folded header', `GET / HTTP/1.1\r\n${HOST}X: a\r\n b\r\n\r\n`],
    ['a header folded at once', `GET / HTTP/1.1\r\n Host: a.test\r\n\r\n`],
    ['a bare LF after the request line', `GET / HTTP/1.1\n${HOST}\r\n`],
    ['a bare LF after a header', `GET / HTTP/1.1\r\nHost: a.test\nX: y\r\n\r\n`],
    ['a bare CR in a header', `GET / HTTP/1.1\r\n${HOST}X: a\rb\r\n\r\n`],
    ['NUL in a header', `GET / HTTP/1.1\r\n${HOST}X: a\0b\r\n\r\n`],
    ['NUL in a name', `GET / HTTP/1.1\r\n${HOST}X\0: a\r\n\r\n`],
    ['NUL in the target', `GET /\0 HTTP/1.1\r\n${HOST}\r\n`],
    ['an empty name', `GET / HTTP/1.1\r\n${HOST}: a\r\n\r\n`],
    ['no colon', `GET / HTTP/1.1\r\n${HOST}nonsense\r\n\r\n`],
    ['two hosts', `GET / HTTP/1.1\r\n${HOST}Host: b.test\r\n\r\n`],
    ['two equal hosts', `GET / HTTP/1.1\r\n${HOST}${HOST}\r\n`],
    ['no host', `GET / HTTP/1.1\r\nX: y\r\n\r\n`],
    ['no host in HTTP/1.0', `GET / HTTP/1.0\r\n\r\n`],
    ['a target that is no path', `GET a.test HTTP/1.1\r\n${HOST}\r\n`],
    ['a target with a fragment', `GET /#x HTTP/1.1\r\n${HOST}\r\n`],
    ['a target with a backslash', `GET /..\\x HTTP/1.1\r\n${HOST}\r\n`],
    ['a target with raw bytes', `GET /\xe4 HTTP/1.1\r\n${HOST}\r\n`],
    ['CONNECT', `CONNECT a.test:443 HTTP/1.1\r\n${HOST}\r\n`],
    ['a method that is no token', `SMU(GLE / HTTP/1.1\r\n${HOST}\r\n`],
    ['an endless method', `${'M'.repeat(33)} / HTTP/1.1\r\n${HOST}\r\n`],
    ['another version', `GET / HTTP/1.2\r\n${HOST}\r\n`],
    ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['a TLS hello', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
    ['a huge head', `GET / HTTP/1.1\r\n${HOST}X: ${'x'.repeat(70_000)}\r\n\r\n`],
    ['too many headers', `GET / HTTP/1.1\r\n${HOST}${'A: b\r\n'.repeat(200)}\r\n`],
  ])('%s', async (_, bytes) => {
    const answer = await sendRaw(balancer.port, bytes);
    expect(answer).toMatch(/^HTTP\/1\.1 4\d\d /);
    expect(answer.match(/HTTP\/1\.1 /g)).toHaveLength(1);
    expect(received).toBe('');
  });

  it('tells an oversize head by its status', async () => {
    const huge = `GET / HTTP/1.1\r\n${HOST}X: ${'x'.repeat(70_000)}\r\n\r\n`;
    expect(await sendRaw(balancer.port, huge)).toMatch(/^HTTP\/1\.1 431 /);
    const many = `GET / HTTP/1.1\r\n${HOST}${'A: b\r\n'.repeat(127)}\r\n`;
    expect(await sendRaw(balancer.port, many)).toMatch(/^HTTP\/1\.1 200 /);
    const tooMany = `GET / HTTP/1.1\r\n${HOST}${'A: b\r\n'.repeat(128)}\r\n`;
    expect(await sendRaw(balancer.port, tooMany)).toMatch(/^HTTP\/1\.1 431 /);
  });
});

describe('bodies', () => {
  const chunked = `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n`;

  it.each([
    ['a chunk size that is no number', 'zz\r\nab\r\n0\r\n\r\n'],
    ['a chunk longer than it says', '2\r\nabc\r\n0\r\n\r\n'],
    ['a chunk size with a sign', '-2\r\nab\r\n0\r\n\r\n'],
    ['a chunk size with 0x', '0x2\r\nab\r\n0\r\n\r\n'],
    ['a chunk size that overflows', 'fffffffffffffffff\r\nab\r\n0\r\n\r\n'],
    ['a bare LF after a chunk size', '2\nab\r\n0\r\n\r\n'],
    ['a bare LF after a chunk', '2\r\nab\n0\r\n\r\n'],
  ])('%s never completes a request', async (_, body) => {
    const answer = await sendRaw(balancer.port, `${chunked}${body}${SMUGGLED}`);
    expect(answer).not.toContain('200 OK');
    expect(received).not.toContain('/smuggled');
    expect(received).not.toContain('\r\n0\r\n\r\n');
  });

  it('lose their chunk extensions', async () => {
    const answer = await sendRaw(balancer.port, `${chunked}2;name=value\r\nab\r\n0;last\r\n\r\n`);
    expect(answer).toContain('200 OK');
    expect(received).toContain('\r\n2\r\nab\r\n');
    expect(received).not.toContain('name=value');
  });

  it('that break off are not completed for the app', async () => {
    const head = `POST / HTTP/1.1\r\n${HOST}Content-Length: 100000\r\n\r\n`;
    await sendRaw(balancer.port, `${head}${'x'.repeat(1_000)}`, 200);
    expect(received).toContain('Content-Length: 100000');
    expect(received).not.toContain('HTTP/1.1\r\nHost: a.test\r\n\r\nGET');
  });

  it('of a GET stay what they are', async () => {
    const bytes = `GET /first HTTP/1.1\r\n${HOST}Content-Length: ${SMUGGLED.length}\r\n\r\n${SMUGGLED}`;
    await sendRaw(balancer.port, bytes);
    expect(received).toMatch(/^GET \/first HTTP\/1\.1\r\n/);
    expect(received).toContain(`Content-Length: ${SMUGGLED.length}\r\n`);
    expect(balancer.access.map((record) => record.path)).not.toContain('/smuggled');
  });
});

describe('a head on its way to the app', () => {
  it('is framed once, by us', async () => {
    await sendRaw(
      balancer.port,
      `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: ChunKed\r\n\r\n1\r\na\r\n0\r\n\r\n`,
    );
    expect(received.match(/transfer-encoding/gi)).toHaveLength(1);
    expect(received).not.toMatch(/content-length/i);
    received = '';
    await sendRaw(
      balancer.port,
      `POST / HTTP/1.1\r\n${HOST}Content-Length: 1\r\nConnection: content-length\r\n\r\na`,
    );
    expect(received.match(/content-length: 1\r\n/gi)).toHaveLength(1);
    received = '';
    await sendRaw(balancer.port, `POST / HTTP/1.1\r\n${HOST}\r\n`);
    expect(received.match(/content-length: 0\r\n/gi)).toHaveLength(1);
  });

  it('cannot lose our headers by naming them in Connection', async () => {
    await sendRaw(
      balancer.port,
      `GET / HTTP/1.1\r\n${HOST}Connection: close, X-Forwarded-For, X-Request-Id, Host\r\n\r\n`,
    );
    expect(received).toContain('X-Forwarded-For: 127.0.0.1\r\n');
    expect(received.match(/^Host: a\.test\r$/gm)).toHaveLength(1);
  });

  it('keeps bytes of other alphabets as they are', async () => {
    await sendRaw(
      balancer.port,
      Buffer.from(`GET / HTTP/1.1\r\n${HOST}X-Name: Zoë\r\n\r\n`, 'utf8'),
    );
    expect(Buffer.from(received, 'latin1').toString('utf8')).toContain('X-Name: Zoë');
  });
});

describe('an upgrade that is no WebSocket', () => {
  it('is ignored: the request is answered as HTTP/1.1', async () => {
    const answer = await sendRaw(
      balancer.port,
      `GET / HTTP/1.1\r\n${HOST}Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK/);
    expect(received).not.toMatch(/upgrade|http2-settings/i);
  });
});
