// HTTP/2 from the side of real clients: node:http2, curl's library (nghttp2) and its load generator.
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from 'node:http2';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ServedCertificate } from '../../packages/platform/src/balancer/tls/certificate-shelf.ts';
import { type Backend, httpBackend, rawBackend, TestBalancer } from '../support/balancer-server.ts';
import { ErrorCode, Flag, Frame, FrameClient, GET, POST } from '../support/http2-frames.ts';
import { resourcesNow, returnTo } from '../support/resources.ts';
import { OK, ScriptedApp } from '../support/scripted-app.ts';
import { makeCertificate } from '../support/tls-client.ts';

const run = promisify(execFile);
const LIMITS = { bodyIdleTimeoutMs: 400, answerStallMs: 600, keepAliveMs: 1_500, lingerMs: 200 };

let certificates: ServedCertificate[];
let balancer: TestBalancer;
let app: ScriptedApp;
let session: ClientHttp2Session;
const backends: Backend[] = [];

beforeAll(async () => {
  certificates = await Promise.all([
    makeCertificate(['a.test', '*.a.test']),
    makeCertificate(['b.test']),
  ]);
});

beforeEach(async () => {
  app = await ScriptedApp.start();
  balancer = new TestBalancer({ limits: LIMITS });
  balancer.shelf.set(certificates);
  await balancer.listenTls();
  balancer.to([app.upstream]);
  session = open();
});

afterEach(async () => {
  session.destroy();
  await balancer.close();
  await Promise.all([app, ...backends.splice(0)].map((each) => each.close()));
});

function open(servername = 'a.test'): ClientHttp2Session {
  const opened = connect(`https://127.0.0.1:${balancer.tlsPort}`, {
    ...{ servername, rejectUnauthorized: false },
  });
  return opened.on('error', () => undefined);
}

interface Answer {
  readonly headers: IncomingHttpHeaders & { readonly ':status'?: number };
  readonly body: string;
  readonly trailers: IncomingHttpHeaders | undefined;
  readonly early: readonly (number | undefined)[];
  readonly code: number | undefined;
}

const start = (fields: OutgoingHttpHeaders = {}, endStream = true): ClientHttp2Stream =>
  session.request({ ':authority': 'a.test', ':path': '/', ...fields }, { endStream });

/** All of an answer, also of one that breaks off. */
async function answerTo(stream: ClientHttp2Stream): Promise<Answer> {
  const early: (number | undefined)[] = [];
  let headers: IncomingHttpHeaders = {};
  let trailers: IncomingHttpHeaders | undefined;
  let body = '';
  stream
    .on('headers', (fields) => early.push(fields[':status']))
    .on('response', (fields) => (headers = fields))
    .on('trailers', (fields: IncomingHttpHeaders) => (trailers = fields))
    .on('data', (bytes: Buffer) => (body += bytes.toString('latin1')))
    .on('error', () => undefined);
  if (!stream.closed) await new Promise((resolve) => stream.once('close', resolve));
  return { headers, body, trailers, early, code: stream.rstCode };
}

const ask = (fields: OutgoingHttpHeaders = {}): Promise<Answer> => answerTo(start(fields));

async function backend(made: Promise<Backend>): Promise<Backend> {
  const started = await made;
  backends.push(started);
  balancer.to([started.upstream]);
  return started;
}

describe('a request', () => {
  it('reaches the app as HTTP/1.1', async () => {
    await ask({ ':path': '/a?b=c', 'x-mine': 'yes', cookie: ['a=1', 'b=2'] });
    const { method, target, version, headers } = app.request;
    expect([method, target, version]).toEqual(['GET', '/a?b=c', 'HTTP/1.1']);
    const fields = Object.fromEntries(headers);
    expect(fields).toMatchObject({
      ...{ host: 'a.test', 'x-mine': 'yes', cookie: 'a=1; b=2' },
      ...{ 'x-forwarded-proto': 'https', 'x-forwarded-for': '127.0.0.1' },
    });
    expect(fields).not.toHaveProperty('transfer-encoding');
  });

  it('loses what only we may say', async () => {
    await ask({ 'x-forwarded-for': '6.6.6.6', x_forwarded_proto: 'http', forwarded: 'for=x' });
    const names = app.request.headers.map(([name]) => name);
    expect(Object.fromEntries(app.request.headers)['x-forwarded-for']).toBe('127.0.0.1');
    expect(names).not.toContain('forwarded');
    expect(names).not.toContain('x_forwarded_proto');
  });

  it.each([1, 1_000, 70_000, 1_000_000])('has a body of %i bytes', async (size) => {
    const echo = httpBackend((request, response) => request.pipe(response));
    await backend(echo);
    const body = 'abcdefghij'.repeat(size / 10 + 1).slice(0, size);
    for (const length of [{}, { 'content-length': String(size) }]) {
      const stream = start({ ':method': 'POST', ...length }, false);
      stream.end(body);
      expect((await answerTo(stream)).body === body).toBe(true);
    }
  });

  it('is framed by its length where that is known, else in chunks, with trailers', async () => {
    const known = start({ ':method': 'POST', 'content-length': '5' }, false);
    known.end('hello');
    await answerTo(known);
    expect(app.request.rawBody).toBe('hello');
    const stream = session.request(
      { ':authority': 'a.test', ':path': '/', ':method': 'POST' },
      { waitForTrailers: true },
    );
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': '42', host: 'evil' }));
    stream.end('hello');
    await answerTo(stream);
    expect(app.request.rawBody).toMatch(/^5\r\nhello\r\n0\r\n(?:host: evil\r\n)?x-sum: 42\r\n/);
    expect(Object.fromEntries(app.request.headers)['transfer-encoding']).toBe('chunked');
  });

  it('is asked for its body when the client waits for that', async () => {
    const stream = start(
      { ':method': 'POST', 'content-length': '2', expect: '100-continue' },
      false,
    );
    stream.once('continue', () => stream.end('ok'));
    expect((await answerTo(stream)).headers[':status']).toBe(200);
  });

  it('for a host of another certificate is misdirected, of the same it is not', async () => {
    balancer.set({
      ...{ appId: 2, appName: 'app2' },
      routes: ['b.test', 'x.a.test'].map((host) => ({
        ...{ host, path: '/', target: { kind: 'upstreams', upstreams: [app.upstream] } },
      })),
    });
    expect((await ask({ ':authority': 'b.test' })).headers[':status']).toBe(421);
    expect((await ask({ ':authority': 'x.a.test' })).headers[':status']).toBe(200);
    expect((await ask({ ':authority': 'a.test:443' })).headers[':status']).toBe(200);
  });

  it('whose body stops coming is given up', async () => {
    const stream = start({ ':method': 'POST', 'content-length': '10' }, false);
    stream.write('half');
    expect((await answerTo(stream)).headers[':status']).toBe(408);
  });

  it('that its client takes back is taken back from the app', async () => {
    let closed = 0;
    await backend(rawBackend((socket) => socket.on('close', () => (closed += 1)).resume()));
    const stream = start();
    await expect.poll(() => backends[0]?.connections).toBe(1);
    stream.close(constants.NGHTTP2_CANCEL);
    await expect.poll(() => closed).toBe(1);
    await expect.poll(() => balancer.access.at(-1)?.status).toBe(499);
  });

  it('waits while the app does not read, and fills no memory', async () => {
    await backend(rawBackend((socket) => socket.pause()));
    const client = await FrameClient.open(balancer.tlsPort);
    client.headers(1, POST, 0);
    for (let count = 0; count < 1_500; count += 1) client.data(1, 'x'.repeat(16_384), 0);
    expect(await client.lastWord()).toMatch(/goaway (?:flowControl|internal)|closed/);
    client.close();
  });
});

describe('an answer', () => {
  it.each([0, 1, 1_000, 70_000, 5_000_000])('has %i bytes', async (size) => {
    const body = 'abcdefghij'.repeat(size / 10 + 1).slice(0, size);
    app.answer = `HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n${body}`;
    const answers = await Promise.all([ask(), ask(), ask()]);
    expect(answers.every((answer) => answer.body === body)).toBe(true);
    expect(answers[0]?.headers['content-length']).toBe(String(size));
  });

  it('in chunks keeps its trailers and loses its framing', async () => {
    app.answer =
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: x-hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\nTrailer: X-T\r\n\r\n' +
      '3;ext=1\r\nabc\r\n3\r\ndef\r\n0\r\nX-T: end\r\n\r\n';
    const { headers, body, trailers } = await ask();
    expect([body, trailers?.['x-t']]).toEqual(['abcdef', 'end']);
    for (const name of ['transfer-encoding', 'connection', 'x-hop', 'keep-alive', 'trailer'])
      expect(headers).not.toHaveProperty(name);
  });

  it('in chunks ends without trailers too, and as the connection ends', async () => {
    app.answer = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n';
    expect(await ask()).toMatchObject({ body: 'abc', code: 0 });
    app.answer = (_, socket) => {
      socket.end('HTTP/1.1 200 OK\r\n\r\nuntil the end');
      return undefined;
    };
    expect(await ask()).toMatchObject({ body: 'until the end', code: 0 });
  });

  it('keeps fields that come twice', async () => {
    app.answer =
      'HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nset-cookie: b=2\r\nETag: "x"\r\nETag: "y"\r\nVary: a\r\nVary: b\r\nContent-Length: 0\r\n\r\n';
    const { headers } = await ask();
    expect(headers['set-cookie']).toEqual(['a=1', 'b=2']);
    expect(headers['vary']).toBe('a, b');
  });

  it.each([204, 304])('of status %i has no body', async (status) => {
    app.answer = `HTTP/1.1 ${status} X\r\nETag: "x"\r\n\r\n`;
    expect(await ask()).toMatchObject({ headers: { ':status': status }, body: '', code: 0 });
  });

  it('to HEAD has a length and no body', async () => {
    app.answer = 'HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n';
    const { headers, body } = await ask({ ':method': 'HEAD' });
    expect([headers['content-length'], body]).toEqual(['7', '']);
    expect((await ask({ ':method': 'HEAD', ':authority': 'none.a.test' })).headers[':status']).toBe(
      404,
    );
  });

  it('may be announced', async () => {
    app.answer = `HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n${OK}`;
    expect(await ask()).toMatchObject({ early: [103], body: 'ok' });
  });

  it.each([
    ['with a length, before its body', 'Content-Length: 200000\r\n\r\n'],
    ['with a length', 'Content-Length: 200000\r\n\r\nhalf'],
    ['with a length, in the middle', `Content-Length: 200000\r\n\r\n${'x'.repeat(60_000)}`],
    ['in chunks', 'Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n'],
  ])('that breaks off is never ended: %s', async (_, rest) => {
    await backend(
      rawBackend((socket) =>
        socket.once('data', () => {
          socket.write(`HTTP/1.1 200 OK\r\n${rest}`);
          setTimeout(() => socket.destroy(), 50);
        }),
      ),
    );
    const client = await FrameClient.open(balancer.tlsPort);
    client.headers(1, GET);
    const reset = await client.find(({ type }) => type === Frame.reset);
    expect(reset?.payload.readUInt32BE(0)).toBe(ErrorCode.internal);
    const ended = client.received.filter(
      ({ type, flags, stream }) =>
        stream === 1 && type !== Frame.reset && (flags & Flag.endStream) !== 0,
    );
    expect(ended).toEqual([]);
    client.headers(3, [...GET.slice(0, 3), [':authority', 'none.a.test']]);
    expect(await client.fateOf(3)).toBe('404');
    client.close();
  });

  it('that comes before the body was sent ends the sending', async () => {
    await backend(
      rawBackend((socket) =>
        socket.once('data', () =>
          socket.write('HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno'),
        ),
      ),
    );
    const stream = start({ ':method': 'POST' }, false);
    stream.write('x'.repeat(1_000));
    const { headers, body } = await answerTo(stream);
    expect([headers[':status'], body]).toEqual([413, 'no']);
    expect((await ask({ ':authority': 'none.a.test' })).headers[':status']).toBe(404);
  });

  it('streams as it comes', async () => {
    await backend(
      httpBackend((_, response) => {
        response.write('first');
        setTimeout(() => response.end('second'), 300);
      }),
    );
    const stream = start();
    const [first] = (await once(stream, 'data')) as [Buffer];
    expect(String(first)).toBe('first');
    stream.close();
  });

  it('that its client does not read waits, bounded, and is given up', async () => {
    let written = 0;
    await backend(
      httpBackend((_, response) => {
        response.on('error', () => undefined);
        const more = (): void => {
          while (written < 100_000_000 && response.write(Buffer.alloc(65_536))) written += 65_536;
        };
        response.on('drain', more);
        more();
      }),
    );
    const stream = start();
    stream.on('error', () => undefined).pause();
    await once(stream, 'response');
    await sleep(300);
    expect(written).toBeLessThan(20_000_000);
    await once(stream, 'close');
    expect(stream.rstCode).toBe(constants.NGHTTP2_CANCEL);
    expect((await ask({ ':authority': 'none.a.test' })).headers[':status']).toBe(404);
  });
});

describe('a connection', () => {
  it('carries many requests at once', async () => {
    app.answer = ({ target }) =>
      `HTTP/1.1 200 OK\r\nContent-Length: ${target.length}\r\n\r\n${target}`;
    const targets = Array.from({ length: 90 }, (_, index) => `/${index}`);
    const answers = await Promise.all(targets.map((target) => ask({ ':path': target })));
    expect(answers.map(({ body }) => body)).toEqual(targets);
  });

  it('that nobody uses ends with a goodbye', async () => {
    await ask();
    const goaway = once(session, 'goaway');
    await once(session, 'close');
    expect((await goaway)[0]).toBe(constants.NGHTTP2_NO_ERROR);
    await expect.poll(() => balancer.connectionCount).toBe(0);
  });

  it('finishes what is under way when the balancer closes', async () => {
    let release: () => void = () => undefined;
    app.answer = (_, socket) => {
      release = () => socket.write(OK);
      return undefined;
    };
    const idle = open();
    await once(idle, 'connect');
    const asking = ask();
    await expect.poll(() => app.requests.length).toBe(1);
    const idleClosed = once(idle, 'close');
    const closing = balancer.close({ idleMs: 500, tunnelMs: 500, requestMs: 5_000 });
    await idleClosed;
    release();
    expect((await asking).body).toBe('ok');
    await closing;
  });

  it('is cut when the grace of a close is over', async () => {
    app.answer = () => undefined;
    const asking = ask();
    await expect.poll(() => app.requests.length).toBe(1);
    await balancer.close({ idleMs: 0, tunnelMs: 0, requestMs: 200 });
    expect((await asking).headers).toEqual({});
  });

  it('leaves nothing behind', async () => {
    await ask();
    session.destroy();
    const before = resourcesNow();
    for (let round = 0; round < 20; round += 1) {
      session = open();
      const asking = Array.from({ length: 10 }, () => ask());
      if (round % 2 === 0) await Promise.all(asking);
      session.destroy();
    }
    await returnTo(before);
    await expect.poll(() => balancer.connectionCount).toBe(0);
  });
});

describe('the clients of nghttp2', () => {
  const url = (path = '/'): string => `https://127.0.0.1:${balancer.tlsPort}${path}`;

  beforeEach(() =>
    balancer.shelf.put({ ...(certificates[0] as ServedCertificate), isFallback: true }),
  );

  it('nghttp reads an answer and verifies it', async () => {
    app.answer = `HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n${'x'.repeat(100_000)}`;
    const { stdout } = await run('nghttp', ['--header=:authority: a.test', url()], {
      encoding: 'utf8',
      maxBuffer: 1e7,
    });
    expect(stdout).toBe('x'.repeat(100_000));
  });

  it('h2load sends thousands of requests, and all succeed', async () => {
    const { stdout } = await run(
      'h2load',
      ['-n', '4000', '-c', '8', '-m', '32', '-H', ':authority: a.test', url()],
      { encoding: 'utf8', timeout: 60_000 },
    );
    expect(stdout).toMatch(/4000 succeeded, 0 failed, 0 errored, 0 timeout/);
    expect(stdout).toContain('4000 2xx');
  });

  it('h2load sends bodies', async () => {
    const { stdout } = await run(
      'h2load',
      ['-n', '500', '-c', '4', '-m', '8', '-d', '/etc/services', '-H', ':authority: a.test', url()],
      { encoding: 'utf8', timeout: 60_000 },
    );
    expect(stdout).toMatch(/500 succeeded, 0 failed/);
  });
});
