// HTTP through the balancer, with real servers and clients: what goes through, and as what.
import { once } from 'node:events';
import { type IncomingMessage, request, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type Ask,
  ask,
  type Backend,
  collect,
  httpBackend,
  sendRaw,
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

/** Answers with what it received. */
const mirror = (incoming: IncomingMessage, response: ServerResponse): void => {
  let body = '';
  incoming.on('data', (chunk: Buffer) => (body += chunk.toString()));
  incoming.on('end', () => {
    const { method, url, rawHeaders, rawTrailers } = incoming;
    response.setHeader('Content-Type', 'application/json');
    response.end(JSON.stringify({ method, url, rawHeaders, rawTrailers, body }));
  });
};

interface Mirrored {
  readonly method: string;
  readonly url: string;
  readonly rawHeaders: string[];
  readonly rawTrailers: string[];
  readonly body: string;
}

const get = (options?: Ask) => ask(balancer.port, options);
const mirrored = async (options?: Ask): Promise<Mirrored> =>
  JSON.parse((await get(options)).body) as Mirrored;
const valuesOf = ({ rawHeaders }: Mirrored, name: string): string[] =>
  rawHeaders.filter((_, at) => at % 2 === 1 && rawHeaders[at - 1]?.toLowerCase() === name);

describe('a request through the balancer', () => {
  it('arrives as it was sent, and the answer too', async () => {
    const backend = await serve((_, response) => {
      response.writeHead(201, 'Made', [
        ...['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2', 'X-Case', 'Kept', 'Content-Length', '5'],
      ]);
      response.end('hello');
    });
    balancer.to([backend.upstream]);
    const answer = await get({ path: '/some/path?q=1&q=%20', method: 'PUT', body: 'x' });
    expect(answer).toMatchObject({ status: 201, body: 'hello' });
    expect(answer.headers['set-cookie']).toEqual(['a=1', 'b=2']);
    balancer.to([(await serve(mirror)).upstream]);
    const seen = await mirrored({ path: '/some/path?q=1&q=%20', method: 'PATCH', body: 'abc' });
    expect(seen).toMatchObject({ method: 'PATCH', url: '/some/path?q=1&q=%20', body: 'abc' });
    expect(valuesOf(seen, 'content-length')).toEqual(['3']);
  });

  it('carries our headers in place of what the client claims', async () => {
    balancer.to([(await serve(mirror)).upstream]);
    const seen = await mirrored({
      host: 'a.test:8080',
      headers: {
        'X-Forwarded-For': '6.6.6.6',
        'X-Forwarded-Proto': 'https',
        'X-Forwarded-Ssl': 'on',
        X_Forwarded_Proto: 'https',
        Forwarded: 'for=6.6.6.6',
        'X-Real-IP': '6.6.6.6',
        'X-Request-Id': 'forged-forged',
        'X-Tandem-Layer': 'x',
        'X-Kept': 'yes',
      },
    });
    expect(valuesOf(seen, 'host')).toEqual(['a.test:8080']);
    expect(valuesOf(seen, 'x-forwarded-for')).toEqual(['127.0.0.1']);
    expect(valuesOf(seen, 'x-forwarded-proto')).toEqual(['http']);
    expect(valuesOf(seen, 'x-forwarded-protocol')).toEqual(['http']);
    expect(valuesOf(seen, 'x-forwarded-host')).toEqual(['a.test:8080']);
    expect(valuesOf(seen, 'x-forwarded-port')).toEqual(['8080']);
    expect(valuesOf(seen, 'x-request-start')[0]).toMatch(/^t=\d{13}$/);
    expect(valuesOf(seen, 'x-request-id')[0]).toMatch(/^[0-9a-f]{20}$/);
    expect(valuesOf(seen, 'x-kept')).toEqual(['yes']);
    const text = seen.rawHeaders.join(' ').toLowerCase();
    for (const gone of ['6.6.6.6', 'forged', '_', 'x-tandem', 'ssl', 'x-real-ip'])
      expect(text).not.toContain(gone);
  });

  it('believes a peer it was told to trust', async () => {
    const trusting = new TestBalancer({ trustedPeers: ['127.0.0.0/8', '10.0.0.0/8'] });
    await trusting.listen();
    try {
      trusting.to([(await serve(mirror)).upstream]);
      const answer = await ask(trusting.port, {
        headers: {
          'X-Forwarded-For': '9.9.9.9, 1.2.3.4, 10.0.0.5',
          'X-Forwarded-Proto': 'https',
          'X-Request-Id': 'from-the-edge-1',
        },
      });
      const seen = JSON.parse(answer.body) as Mirrored;
      expect(valuesOf(seen, 'x-forwarded-for')).toEqual(['9.9.9.9, 1.2.3.4, 10.0.0.5, 127.0.0.1']);
      expect(valuesOf(seen, 'x-forwarded-proto')).toEqual(['https']);
      expect(valuesOf(seen, 'x-forwarded-port')).toEqual(['443']);
      expect(valuesOf(seen, 'x-request-id')).toEqual(['from-the-edge-1']);
      expect(trusting.access[0]).toMatchObject({
        clientIp: '1.2.3.4',
        requestId: 'from-the-edge-1',
      });
    } finally {
      await trusting.close();
    }
  });

  it('loses its hop-by-hop headers in both directions', async () => {
    const backend = await serve((incoming, response) => {
      response.writeHead(200, [
        ...['Connection', 'keep-alive, X-Internal', 'X-Internal', 'secret', 'X-Public', 'yes'],
        ...['Proxy-Authenticate', 'Basic', 'X-Seen', JSON.stringify(incoming.headers)],
      ]);
      response.end();
    });
    balancer.to([backend.upstream]);
    const { headers } = await get({
      headers: {
        Connection: 'close, X-Hop',
        'X-Hop': '1',
        TE: 'trailers',
        'Proxy-Connection': 'x',
      },
    });
    expect(headers).toMatchObject({ 'x-public': 'yes' });
    expect(headers['x-internal']).toBeUndefined();
    expect(headers['proxy-authenticate']).toBeUndefined();
    const seen = JSON.parse(String(headers['x-seen'])) as Record<string, string>;
    expect(Object.keys(seen)).not.toEqual(expect.arrayContaining(['x-hop']));
    expect(seen.te ?? seen['proxy-connection']).toBeUndefined();
  });

  it('keeps chunks and trailers both ways', async () => {
    const backend = await serve((incoming, response) => {
      let body = '';
      incoming.on('data', (chunk: Buffer) => (body += chunk.toString()));
      incoming.on('end', () => {
        response.setHeader('Trailer', 'X-Sum');
        response.write(`${body}|`);
        response.addTrailers({ 'X-Sum': JSON.stringify(incoming.trailers) });
        response.end('end');
      });
    });
    balancer.to([backend.upstream]);
    const outgoing = request({
      ...{ port: balancer.port, method: 'POST', path: '/', agent: false },
      headers: { Host: 'a.test', 'Transfer-Encoding': 'chunked', Trailer: 'X-Check' },
    });
    outgoing.write('one');
    await sleep(20);
    outgoing.write('two');
    outgoing.addTrailers({ 'X-Check': '7', 'X-Forwarded-For': '6.6.6.6' });
    outgoing.end();
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
    const answer = await collect(response);
    expect(answer.body).toBe('onetwo|end');
    expect(JSON.parse(String(answer.trailers['x-sum']))).toEqual({ 'x-check': '7' });
  });

  it('answers HEAD, 204 and 304 without a body and keeps the connection in step', async () => {
    const backend = await serve((incoming, response) => {
      const status = Number(incoming.url?.slice(1));
      if (status === 200) response.setHeader('Content-Length', 1234);
      response.writeHead(status).end();
    });
    balancer.to([backend.upstream]);
    const head = (path: string, method: string) =>
      `${method} ${path} HTTP/1.1\r\nHost: a.test\r\n\r\n`;
    const text = await sendRaw(
      balancer.port,
      head('/200', 'HEAD') + head('/204', 'GET') + head('/304', 'GET') + head('/404', 'GET'),
    );
    expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual([
      ...['HTTP/1.1 200', 'HTTP/1.1 204', 'HTTP/1.1 304', 'HTTP/1.1 404'],
    ]);
    expect(text).toContain('Content-Length: 1234');
  });

  it('answers pipelined requests in order, also when later ones are faster', async () => {
    const backend = await serve((incoming, response) => {
      const delayMs = incoming.url === '/1' ? 150 : 0;
      setTimeout(() => response.end(`<${incoming.url}>`), delayMs);
    });
    balancer.to([backend.upstream]);
    const all = [1, 2, 3].map((n) => `GET /${n} HTTP/1.1\r\nHost: a.test\r\n\r\n`).join('');
    const text = await sendRaw(balancer.port, all);
    expect(text.match(/<\/\d>/g)).toEqual(['</1>', '</2>', '</3>']);
  });

  it('takes an absolute target and routes by its authority', async () => {
    balancer.to([(await serve(mirror)).upstream]);
    const text = await sendRaw(
      balancer.port,
      'GET http://A.test:99/x?y HTTP/1.1\r\nHost: other.test\r\nConnection: close\r\n\r\n',
    );
    expect(text).toMatch(/^HTTP\/1\.1 200/);
    expect(text).toContain('"url":"/x?y"');
    expect(text).toContain('"Host","A.test:99"');
  });

  it('serves HTTP/1.0 clients', async () => {
    const backend = await serve((_, response) => {
      response.write('part one, ');
      setTimeout(() => response.end('part two'), 20);
    });
    balancer.to([backend.upstream]);
    const text = await sendRaw(balancer.port, 'GET / HTTP/1.0\r\nHost: a.test\r\n\r\n');
    expect(text).toMatch(/^HTTP\/1\.1 200/);
    expect(text).not.toMatch(/transfer-encoding/i);
    expect(text).toMatch(/\r\n\r\npart one, part two$/);
  });

  it('passes early hints', async () => {
    const backend = await serve((_, response) => {
      response.writeEarlyHints({ link: '</app.css>; rel=preload; as=style' }, () => {
        response.end('body');
      });
    });
    balancer.to([backend.upstream]);
    const text = await sendRaw(balancer.port, 'GET / HTTP/1.1\r\nHost: a.test\r\n\r\n');
    expect(text).toMatch(/^HTTP\/1\.1 103 Early Hints\r\nLink: <\/app\.css>/i);
    expect(text).toContain('HTTP/1.1 200');
  });

  it('lets a client with Expect: 100-continue go on, and spares it the body when refused', async () => {
    balancer.to([(await serve(mirror)).upstream]);
    const head = (host: string) =>
      `POST / HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n`;
    const socket = connect(balancer.port, '127.0.0.1');
    socket.write(head('a.test'));
    const [first] = (await once(socket, 'data')) as [Buffer];
    expect(first.toString()).toBe('HTTP/1.1 100 Continue\r\n\r\n');
    socket.write('body');
    const [second] = (await once(socket, 'data')) as [Buffer];
    expect(second.toString()).toContain('HTTP/1.1 200');
    expect(second.toString()).toContain('"body":"body"');
    expect(second.toString()).not.toContain('100-continue');
    socket.destroy();
  });

  it('streams server-sent events as they come', async () => {
    let send: ((event: string) => void) | undefined;
    const backend = await serve((_, response) => {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' }).flushHeaders();
      send = (event) => response.write(`data: ${event}\n\n`);
    });
    balancer.to([backend.upstream]);
    const outgoing = request({ port: balancer.port, headers: { Host: 'a.test' }, agent: false });
    outgoing.on('error', () => undefined).end();
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
    for (const event of ['one', 'two']) {
      send?.(event);
      const [chunk] = (await once(response, 'data')) as [Buffer];
      expect(chunk.toString()).toBe(`data: ${event}\n\n`);
    }
    outgoing.destroy();
  });

  it('moves large bodies both ways, unchanged', async () => {
    const backend = await serve((incoming, response) => incoming.pipe(response));
    balancer.to([backend.upstream]);
    const body = Buffer.alloc(8 * 1024 * 1024, 'abcdefghij');
    const answer = await get({ method: 'POST', body });
    expect(answer.body.length).toBe(body.length);
    expect(answer.body === body.toString()).toBe(true);
    expect(balancer.access[0]).toMatchObject({ bytes: body.length, status: 200 });
  });

  it('does not read from the app more than a slow client takes, beyond a bound', async () => {
    let written = 0;
    const backend = await serve((_, response) => {
      const chunk = Buffer.alloc(64 * 1024);
      const fill = (): void => {
        while (written < 200_000_000) {
          written += chunk.length;
          if (!response.write(chunk)) break;
        }
      };
      response.on('drain', fill);
      fill();
    });
    balancer.to([backend.upstream]);
    const socket = connect(balancer.port, '127.0.0.1');
    socket.pause();
    socket.write('GET / HTTP/1.1\r\nHost: a.test\r\n\r\n');
    await sleep(700);
    const after = written;
    expect(after).toBeLessThan(40_000_000);
    await sleep(200);
    expect(written).toBe(after);
    socket.destroy();
  });

  it('does not take from a client more than a slow app reads, beyond a bound', async () => {
    const backend = await serve((incoming) => incoming.pause());
    balancer.to([backend.upstream]);
    const socket = connect(balancer.port, '127.0.0.1');
    socket.write('POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 200000000\r\n\r\n');
    let blocked = false;
    const chunk = Buffer.alloc(1024 * 1024);
    for (let n = 0; n < 200 && !blocked; n += 1)
      blocked = !socket.write(chunk) && !(await Promise.race([once(socket, 'drain'), sleep(300)]));
    expect(blocked).toBe(true);
    socket.destroy();
  });

  it('does not hold an instance while a small body comes slowly', async () => {
    let started = 0;
    const backend = await serve((incoming, response) => {
      started += 1;
      mirror(incoming, response);
    });
    balancer.to([backend.upstream]);
    const socket = connect(balancer.port, '127.0.0.1');
    socket.write('POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 4\r\n\r\nsl');
    await sleep(150);
    expect([started, backend.connections]).toEqual([0, 0]);
    socket.write('ow');
    const [data] = (await once(socket, 'data')) as [Buffer];
    expect(data.toString()).toContain('"body":"slow"');
    socket.destroy();
  });

  it('leaves one access record', async () => {
    balancer.to([(await serve((_, response) => response.end('hello'))).upstream]);
    await get({ path: '/a?b=c', host: 'A.test:80' });
    await get({ host: 'nobody.test' });
    const [first, second] = balancer.access;
    expect(first).toMatchObject({
      ...{ appId: 1, host: 'a.test', method: 'GET', path: '/a?b=c', status: 200, bytes: 5 },
      clientIp: '127.0.0.1',
    });
    expect(first?.instanceId).toMatch(/^i\d+$/);
    expect(first?.upstreamMs).toBeLessThanOrEqual(first?.durationMs ?? 0);
    expect(second).toMatchObject({ host: 'nobody.test', status: 404 });
    expect(second?.appId).toBeUndefined();
  });
});
