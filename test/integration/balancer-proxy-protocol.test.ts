// The PROXY protocol: who stands in front of the balancer says for whom; nobody else may.
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls, TLSSocket } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { selfSign } from '../../packages/platform/src/adapters/self-signed/self-signed.ts';
import { TrustedPeers } from '../../packages/platform/src/balancer/client-origin.ts';
import { Deadlines } from '../../packages/platform/src/balancer/deadlines.ts';
import { ProxiedSocket } from '../../packages/platform/src/balancer/proxied-socket.ts';
import {
  ask,
  type Backend,
  collect,
  httpBackend,
  sendRaw,
  TestBalancer,
  type TestBalancerOptions,
} from '../support/balancer-server.ts';
import { Haproxy } from '../support/haproxy.ts';
import { useStandalone } from '../support/standalone-balancer.ts';

const SIGNATURE = '0d0a0d0a000d0a515549540a';
const TCP4 = header('21 11 000c c0000201 c6336402 d903 01bb');
const TCP6 = header(
  '21 21 0024 20010db8000000000000000000000001 20010db8000000000000000000000002 d903 01bb',
);
const LOCAL = header('20 00 0000');
const NOBODY_KNOWN = header('21 00 0000');
const VERSION_1 = Buffer.from('PROXY TCP4 192.0.2.7 198.51.100.2 55555 443\r\n');
const GET = 'GET / HTTP/1.1\r\nHost: a.test\r\n\r\n';
const LAST_GET = 'GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n';
const HEADER_TIMEOUT_MS = 300;

function header(text: string): Buffer {
  return Buffer.from((SIGNATURE + text).replaceAll(' ', ''), 'hex');
}

let backend: Backend;
let balancer: TestBalancer;
let haproxy: Haproxy | undefined;

/** Its app answers with what it was told of the client. */
async function start(options: TestBalancerOptions = {}, host?: string): Promise<void> {
  balancer = new TestBalancer({
    ...{ trustedPeers: ['127.0.0.1'], proxyProtocol: 'required' },
    limits: { proxyHeaderTimeoutMs: HEADER_TIMEOUT_MS },
    ...options,
  });
  await balancer.listen(host);
  balancer.to([backend.upstream]);
}

/** What the app was told, in order; `closed` when nothing came. */
async function toldBy(...pieces: readonly (Buffer | string)[]): Promise<string> {
  const socket = connect({ port: balancer.port, host: '127.0.0.1', noDelay: true });
  socket.on('error', () => undefined);
  let text = '';
  socket.on('data', (bytes: Buffer) => (text += bytes.toString('latin1')));
  const closed = new Promise((resolve) => socket.once('close', resolve));
  for (const piece of pieces) {
    socket.write(piece);
    if (pieces.length > 1) await sleep(1);
  }
  await Promise.race([closed, sleep(4_000)]);
  socket.destroy();
  return [...text.matchAll(/<(.*?)>/g)].map((match) => match[1]).join(' ') || 'closed';
}

/** A client at `address` asks, and forges. */
async function askFrom(address: string, port: number): Promise<string> {
  const outgoing = request({
    ...{ host: address, localAddress: address, port, agent: false },
    headers: { host: 'a.test', 'x-forwarded-for': '6.6.6.6' },
  });
  outgoing.end();
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  return (await collect(response)).body;
}

beforeEach(async () => {
  haproxy = undefined;
  backend = await httpBackend((request, response) => {
    response.end(`<${String(request.headers['x-forwarded-for'])}>`);
  });
});

afterEach(async () => {
  await haproxy?.close();
  await balancer.close();
  await backend.close();
});

describe('behind HAProxy', () => {
  it.each([
    ['send-proxy-v2', '127.0.0.2'],
    ['send-proxy', '127.0.0.2'],
    ['send-proxy-v2 proxy-v2-options unique-id,crc32c', '127.0.0.2'],
    ['send-proxy-v2', '::1'],
    ['send-proxy', '::1'],
  ])('with %s, a client at %s is seen', async (serverOptions, host) => {
    await start();
    haproxy = await Haproxy.start({
      ...{ host: host === '::1' ? host : '0.0.0.0', backendPort: balancer.port, serverOptions },
    });
    expect(await askFrom(host, haproxy.port)).toBe(`<${host}>`);
    expect(balancer.access.at(-1)?.clientIp).toBe(host);
  });

  it('its health checks are answered', async () => {
    await start();
    const serverOptions = 'send-proxy-v2 check-send-proxy check inter 50';
    const backendPort = balancer.port;
    haproxy = await Haproxy.start({ host: '127.0.0.1', backendPort, serverOptions });
    await sleep(300);
    expect(await ask(haproxy.port)).toMatchObject({ status: 200 });
    expect(balancer.logged.join()).not.toContain('does not begin');
  });
});

describe('the client of a header', () => {
  beforeEach(() => start());

  it.each([
    ['of version 2 over IPv4', TCP4, '192.0.2.1'],
    ['of version 2 over IPv6', TCP6, '2001:db8::1'],
    ['of version 1', VERSION_1, '192.0.2.7'],
    ['that is LOCAL, is the proxy', LOCAL, '127.0.0.1'],
    ['that names nobody, is the proxy', NOBODY_KNOWN, '127.0.0.1'],
  ])('%s', async (_, bytes, ip) => {
    expect(await toldBy(Buffer.concat([bytes, Buffer.from(LAST_GET)]))).toBe(ip);
    expect(balancer.access[0]?.clientIp).toBe(ip);
  });

  it('says what it likes, and is not believed', async () => {
    const forged = LAST_GET.replace('\r\n\r\n', '\r\nX-Forwarded-For: 6.6.6.6\r\n\r\n');
    for (const [bytes, ip] of [
      [TCP4, '192.0.2.1'],
      [LOCAL, '127.0.0.1'],
      [NOBODY_KNOWN, '127.0.0.1'],
    ] as const)
      expect(await toldBy(Buffer.concat([bytes, Buffer.from(forged)]))).toBe(ip);
  });

  it('is the same in every request of a connection', async () => {
    const all = Buffer.concat([TCP6, Buffer.from(GET + GET + LAST_GET)]);
    expect(await toldBy(all)).toBe('2001:db8::1 2001:db8::1 2001:db8::1');
  });

  it('is found when the header comes in crumbs', async () => {
    for (const bytes of [TCP4, TCP6, VERSION_1, LOCAL]) {
      const crumbs = [...bytes].map((octet) => Buffer.from([octet]));
      expect(await toldBy(...crumbs, LAST_GET)).toMatch(/^[\d.a-f:]+$/);
    }
  });

  it('is found when the header and half a request come together', async () => {
    expect(await toldBy(Buffer.concat([TCP4, Buffer.from('GET / H')]), LAST_GET.slice(7))).toBe(
      '192.0.2.1',
    );
  });
});

describe('a connection is closed without a word', () => {
  const nothing = (bytes: Buffer | string): Promise<string> => sendRaw(balancer.port, bytes, 3_000);

  it.each([
    ['HTTP', LAST_GET],
    ['garbage', Buffer.from('\0\x01\x02\x03')],
    ['TLS', Buffer.from('160301020001', 'hex')],
    ['a header of version 3', header('31 11 000c')],
    ['a header that is too long', header('21 11 ffff')],
    ['version 1 with a wrong address', 'PROXY TCP4 1.2.3.400 1.2.3.4 1 2\r\n'],
  ])('that begins with %s', async (_, bytes) => {
    await start();
    const startedMs = performance.now();
    expect(await nothing(bytes)).toBe('');
    expect(performance.now() - startedMs).toBeLessThan(HEADER_TIMEOUT_MS);
    expect(balancer.logged.join()).toContain('does not begin with a PROXY header');
    expect(backend.connections).toBe(0);
  });

  it('whose second header comes behind the first', async () => {
    await start();
    expect(await nothing(Buffer.concat([TCP4, TCP4, Buffer.from(LAST_GET)]))).toMatch(
      /^(?:HTTP\/1\.1 400 |$)/,
    );
    expect(backend.connections).toBe(0);
  });

  it('of somebody who is no trusted peer, whatever it says', async () => {
    await start({ trustedPeers: ['192.0.2.0/24'] });
    expect(await nothing(Buffer.concat([TCP4, Buffer.from(LAST_GET)]))).toBe('');
    expect(balancer.logged.join()).toContain('127.0.0.1 closed: who connects is no trusted peer');
  });

  it('whose header does not come, or not all of it', async () => {
    await start();
    for (const bytes of ['', TCP4.subarray(0, 20), Buffer.from('PROXY TCP4 1.2')]) {
      const startedMs = performance.now();
      expect(await nothing(bytes)).toBe('');
      const tookMs = performance.now() - startedMs;
      expect(tookMs).toBeGreaterThan(HEADER_TIMEOUT_MS - 10);
      expect(tookMs).toBeLessThan(HEADER_TIMEOUT_MS + 1_500);
    }
  });

  it('and told of once in a while only', async () => {
    await start();
    for (let n = 0; n < 20; n += 1) await nothing('x');
    expect(balancer.logged).toHaveLength(1);
  });
});

describe('where it is required', () => {
  it('an IPv4 proxy of a dual-stack socket is trusted by its IPv4 address', async () => {
    await start({}, '::');
    expect(await toldBy(Buffer.concat([TCP4, Buffer.from(LAST_GET)]))).toBe('192.0.2.1');
  });

  it('a proxy in front of the proxy is believed when it is trusted', async () => {
    await start({ trustedPeers: ['127.0.0.1', '192.0.2.1'] });
    const text = LAST_GET.replace('\r\n\r\n', '\r\nX-Forwarded-For: 203.0.113.9\r\n\r\n');
    expect(await toldBy(Buffer.concat([TCP4, Buffer.from(text)]))).toBe('203.0.113.9, 192.0.2.1');
    expect(balancer.access[0]?.clientIp).toBe('203.0.113.9');
  });

  it('closing does not wait for headers', async () => {
    await start({ limits: { proxyHeaderTimeoutMs: 60_000 } });
    const socket = connect(balancer.port, '127.0.0.1');
    await once(socket, 'connect');
    await sleep(50);
    const startedMs = performance.now();
    await balancer.close({ idleMs: 50, tunnelMs: 5_000, requestMs: 5_000 });
    expect(performance.now() - startedMs).toBeLessThan(2_000);
    socket.destroy();
  });

  it('thousands that leave before their header leave nothing', async () => {
    await start();
    for (let n = 0; n < 300; n += 1) {
      const socket = connect(balancer.port, '127.0.0.1').on('error', () => undefined);
      socket.write(TCP4.subarray(0, n % TCP4.length), () => socket.destroy());
      await once(socket, 'close');
    }
    await expect.poll(() => balancer.connectionCount, { timeout: 5_000 }).toBe(0);
  });
});

it('what follows the header may be TLS', async () => {
  await start();
  const nowMs = Date.now();
  const { chainPem, privateKeyPem } = await selfSign({
    ...{ names: ['a.test'], notBeforeMs: nowMs - 60_000, notAfterMs: nowMs + 3_600_000 },
  });
  const deadlines = new Deadlines();
  const server = createServer((socket) => {
    new ProxiedSocket(socket, {
      ...{ peers: new TrustedPeers(['127.0.0.1']), deadlines, timeoutMs: 1_000 },
      onReady: (source) => {
        const secure = new TLSSocket(socket, {
          isServer: true,
          cert: chainPem,
          key: privateKeyPem,
        });
        secure.on('error', () => undefined).end(`hello ${source?.ip}`);
      },
      onRefused: () => undefined,
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const raw = connect((server.address() as { port: number }).port, '127.0.0.1');
  raw.write(TCP4);
  const client = connectTls({ socket: raw, rejectUnauthorized: false });
  const [bytes] = (await once(client, 'data')) as [Buffer];
  expect(bytes.toString()).toBe('hello 192.0.2.1');
  client.destroy();
  server.close();
  await expect.poll(() => deadlines.count).toBe(0);
});

describe('tandem balancer --proxy-protocol', () => {
  const own = useStandalone();
  beforeEach(() => start());

  it('reads it', async () => {
    await own.balancer.writeRoutes({ host: 'a.test', upstreams: [`127.0.0.1:${backend.port}`] });
    const port = await own.balancer.start('--proxy-protocol', '--trusted-peer', '127.0.0.1');
    const text = await sendRaw(port, Buffer.concat([TCP4, Buffer.from(LAST_GET)]));
    expect(text).toContain('<192.0.2.1>');
    expect(await sendRaw(port, LAST_GET)).toBe('');
    await own.balancer.says('does not begin with a PROXY header');
  });

  it('is refused when nobody is trusted', async () => {
    await own.balancer.writeRoutes({ host: 'a.test', upstreams: ['127.0.0.1:1'] });
    const { code, stderr } = await own.balancer.run(
      ...['--listen', '127.0.0.1:0', '--proxy-protocol'],
    );
    expect(code).toBe(2);
    expect(stderr).toContain('--proxy-protocol: nobody may connect without --trusted-peer');
  });
});
