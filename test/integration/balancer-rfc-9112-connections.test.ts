// What RFC 9112 (HTTP/1.1) demands of connections: their reuse, their end, and what breaks off.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TestBalancer } from '../support/balancer-server.ts';
import { RawClient, valuesOf } from '../support/raw-client.ts';
import { type AppAnswer, OK, ScriptedApp } from '../support/scripted-app.ts';

let balancer: TestBalancer;
let app: ScriptedApp;
const clients: RawClient[] = [];

beforeEach(async () => {
  balancer = new TestBalancer();
  app = await ScriptedApp.start();
  await balancer.listen();
  balancer.to([app.upstream]);
});

afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await app.close();
  await balancer.close();
});

async function send(bytes: string): Promise<RawClient> {
  const client = await RawClient.open(balancer.port, bytes);
  clients.push(client);
  return client;
}

const HOST = 'Host: a.test\r\n';
const CODED = 'Transfer-Encoding: chunked\r\n';
const head = (headers = '', line = 'GET / HTTP/1.1'): string => `${line}\r\n${HOST}${headers}\r\n`;
const post = (headers: string, body: string): string => head(headers, 'POST / HTTP/1.1') + body;
const chunked = (body: string, headers = ''): string =>
  `HTTP/1.1 200 OK\r\n${headers}${CODED}\r\n${body}`;

async function given(answer: AppAnswer, bytes = head()): Promise<RawClient> {
  app.answer = answer;
  return send(bytes);
}

describe('RFC 9112 8: what breaks off', () => {
  const cut =
    (answer: string): AppAnswer =>
    (_, socket) =>
      void socket.end(answer);
  const fails = async (client: RawClient): Promise<void> => {
    await expect(
      client
        .answer()
        .then(({ status }) => (status === 502 ? Promise.reject(new Error('502')) : status)),
    ).rejects.toThrow(/before the end|502/);
  };

  it.each([
    ['in its head', 'HTTP/1.1 200 OK\r\nContent-Le'],
    ['before its length', 'HTTP/1.1 200 OK\r\nContent-Length: 90000\r\n\r\nhalf'],
    ['in a chunk', chunked('9\r\nhalf')],
    ['before its last chunk', chunked('4\r\nhalf\r\n')],
    ['before its last line', chunked('4\r\nhalf\r\n0\r\n')],
  ])('an answer %s is not whole for the client either', async (_, bytes) => {
    await fails(await given(cut(bytes)));
  });

  it('an answer without length that is reset is not whole', async () => {
    const client = await given((_, socket) => {
      socket.write('HTTP/1.1 200 OK\r\n\r\nhalf');
      setTimeout(() => socket.resetAndDestroy(), 50);
      return undefined;
    });
    await fails(client);
  });

  it.each([
    ['a length', post('Content-Length: 100\r\n', 'half')],
    ['chunks', post(CODED, '9\r\nhalf')],
    ['a last chunk', post(CODED, '4\r\nhalf\r\n')],
  ])('a request that lacks the rest of %s is never whole for the app', async (_, bytes) => {
    const client = await send(bytes);
    client.socket.end();
    expect(await client.untilClosed()).toMatch(/^(?:HTTP\/1\.1 4\d\d |$)/);
    expect(app.requests).toEqual([]);
  });
});

describe('RFC 9112 9: connections', () => {
  it('9.3: persist in HTTP/1.1', async () => {
    const client = await send(head());
    for (let n = 0; n < 5; n += 1) {
      expect(valuesOf((await client.answer()).headers, 'connection')).not.toContain('close');
      client.write(head());
    }
  });

  it('9.3: do not persist in HTTP/1.0', async () => {
    const client = await send(head('', 'GET / HTTP/1.0'));
    expect((await client.answer()).body).toBe('ok');
    expect(await client.untilClosed()).toBe('');
  });

  it('9.3: persist in HTTP/1.0 only when both say so', async () => {
    const client = await send(head('Connection: keep-alive\r\n', 'GET / HTTP/1.0'));
    const persists = /keep-alive/i.test(
      valuesOf((await client.answer()).headers, 'connection').join(),
    );
    if (!persists) expect(await client.untilClosed()).toBe('');
    else {
      client.write(head());
      expect((await client.answer()).status).toBe(200);
    }
  });

  it('9.3: a refused request does not leave its body on the connection', async () => {
    const body = head('', 'GET /smuggled HTTP/1.1');
    const client = await send(
      `POST / HTTP/1.1\r\nHost: nobody.test\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    expect((await client.answer()).status).toBe(404);
    client.write(head('', 'GET /next HTTP/1.1'));
    await client.answer().catch(() => undefined);
    expect(app.requests.map(({ target }) => target)).not.toContain('/smuggled');
  });

  it('9.3.2: pipelined requests are answered in order', async () => {
    app.answer = ({ target }, socket) => {
      const answer = `HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n${target}`;
      setTimeout(() => socket.write(answer), target === '/0' ? 100 : 0);
      return undefined;
    };
    const targets = Array.from({ length: 8 }, (_, n) => `/${n}`);
    const client = await send(targets.map((target) => head('', `GET ${target} HTTP/1.1`)).join(''));
    for (const target of targets) expect((await client.answer()).body).toBe(target);
  });

  it('9.3.2: what follows an unsafe request waits for its answer', async () => {
    app.answer = ({ method }, socket) => {
      setTimeout(() => socket.write(OK), method === 'POST' ? 100 : 0);
      return undefined;
    };
    const client = await send(post('Content-Length: 2\r\n', 'hi') + head('', 'GET /2 HTTP/1.1'));
    await client.answer();
    await client.answer();
    expect(app.requests.map(({ method }) => method)).toEqual(['POST', 'GET']);
  });

  it('9.6: close is answered with close, and meant', async () => {
    const client = await send(head('Connection: close\r\n'));
    expect(valuesOf((await client.answer()).headers, 'connection')).toEqual(['close']);
    expect(await client.untilClosed()).toBe('');
  });

  it('9.6: nothing behind close is served', async () => {
    const client = await send(head('Connection: close\r\n') + head('', 'GET /2 HTTP/1.1'));
    expect((await client.answer()).status).toBe(200);
    expect(await client.untilClosed()).toBe('');
    expect(app.requests.map(({ target }) => target)).toEqual(['/']);
  });

  it('9.6: an app that says close is not asked again on that connection', async () => {
    app.answer = 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok';
    const client = await send('');
    for (let n = 0; n < 3; n += 1) {
      client.write(head());
      expect((await client.answer()).status).toBe(200);
    }
    expect(app.connections).toBe(3);
  });

  it('9.6: a last answer reaches a client that is still sending', async () => {
    const client = await send(`POST / HTTP/1.1\r\n${HOST}${HOST}Content-Length: 4000000\r\n\r\n`);
    client.write('x'.repeat(4_000_000));
    expect((await client.answer()).status).toBe(400);
  });
});
