// What RFC 9112 (HTTP/1.1) demands of a server and of an intermediary, section by section.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { TestBalancer } from '../support/balancer-server.ts';
import { RawClient, valuesOf } from '../support/raw-client.ts';
import { type AppAnswer, type AppRequest, OK, ScriptedApp } from '../support/scripted-app.ts';

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

async function received(bytes: string): Promise<AppRequest> {
  expect((await (await send(bytes)).answer()).status).toBe(200);
  return app.request;
}

async function given(answer: AppAnswer, bytes = head()): Promise<RawClient> {
  app.answer = answer;
  return send(bytes);
}

/** The data of a chunked body as the app received it; whatever the sizes. */
function dataOf({ rawBody }: AppRequest): string {
  let data = '';
  for (let at = 0; ;) {
    const lineEnd = rawBody.indexOf('\r\n', at);
    const line = rawBody.slice(at, lineEnd);
    expect(line).toMatch(/^[0-9a-f]+$/i);
    const size = Number.parseInt(line, 16);
    if (size === 0) return data;
    data += rawBody.slice(lineEnd + 2, lineEnd + 2 + size);
    at = lineEnd + 2 + size + 2;
  }
}

describe('RFC 9112 2.2: message parsing', () => {
  it('an empty line before the request line is ignored', async () => {
    expect((await received(`\r\n${head()}`)).target).toBe('/');
  });

  it('an empty line that old clients send behind a body is ignored', async () => {
    const client = await send(`${post('Content-Length: 2\r\n', 'hi\r\n')}${head()}`);
    expect([(await client.answer()).status, (await client.answer()).status]).toEqual([200, 200]);
  });

  it('a line of space before the first header is refused', async () => {
    const client = await send(`GET / HTTP/1.1\r\n \r\n${HOST}\r\n`);
    expect((await client.answer()).status).toBe(400);
    expect(await client.untilClosed()).toBe('');
  });

  it('a head may come in any pieces', async () => {
    const client = await send('');
    client.socket.setNoDelay(true);
    for (const character of head('X: y\r\n')) {
      client.write(character);
      await new Promise(setImmediate);
    }
    expect((await client.answer()).status).toBe(200);
    expect(valuesOf(app.request.headers, 'x')).toEqual(['y']);
  });
});

describe('RFC 9112 2.3: versions', () => {
  it('the app is spoken to in ours, whatever the client speaks', async () => {
    expect((await received(head('', 'GET / HTTP/1.0'))).version).toBe('HTTP/1.1');
  });

  it('the client is answered in ours, whatever the app speaks', async () => {
    const client = await given('HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok');
    expect((await client.answer()).version).toBe('HTTP/1.1');
  });

  it.each(['HTTP/2.0', 'HTTP/3.0', 'HTTP/0.9'])('%s is refused', async (version) => {
    expect((await (await send(head('', `GET / ${version}`))).answer()).status).toBeGreaterThan(399);
    expect(app.requests).toEqual([]);
  });
});

describe('RFC 9112 3: request line', () => {
  it('a target that is too long is told by 414', async () => {
    const client = await send(head('', `GET /${'x'.repeat(70_000)} HTTP/1.1`));
    expect((await client.answer()).status).toBe(414);
  });

  it('a target of 8,000 bytes is taken', async () => {
    const target = `/${'x'.repeat(7_999)}`;
    expect((await received(head('', `GET ${target} HTTP/1.1`))).target).toBe(target);
  });

  it.each([
    ['no Host', 'GET / HTTP/1.1\r\n\r\n'],
    ['two Hosts', head(HOST)],
    ['a Host that is no host', 'GET / HTTP/1.1\r\nHost: a.test/x\r\n\r\n'],
    ['a Host with a user', 'GET / HTTP/1.1\r\nHost: x@a.test\r\n\r\n'],
  ])('3.2: %s is refused with 400', async (_, bytes) => {
    expect((await (await send(bytes)).answer()).status).toBe(400);
    expect(app.requests).toEqual([]);
  });

  it('3.2.2: the host of an absolute target replaces Host', async () => {
    const { target, headers } = await received(
      'GET http://a.test/x HTTP/1.1\r\nHost: b.test\r\n\r\n',
    );
    expect([target, valuesOf(headers, 'host')]).toEqual(['/x', ['a.test']]);
  });

  it('3.2.2: Host goes first', async () => {
    expect((await received(`GET / HTTP/1.1\r\nX: y\r\n${HOST}\r\n`)).headers[0]).toEqual([
      'host',
      'a.test',
    ]);
  });

  it('3.2.4: an asterisk is for OPTIONS alone', async () => {
    expect((await (await send(head('', 'GET * HTTP/1.1'))).answer()).status).toBe(400);
  });
});

describe('RFC 9112 4: status line', () => {
  it('keeps its space when the reason is empty', async () => {
    const client = await given('HTTP/1.1 299 \r\nContent-Length: 2\r\n\r\nok');
    await vi.waitUntil(() => client.rest.includes('\r\n'));
    expect(client.rest).toMatch(/^HTTP\/1\.1 299 [^\r]*\r\n/);
    expect((await client.answer()).status).toBe(299);
  });

  it('keeps the reason of the app', async () => {
    const client = await given('HTTP/1.1 200 Fine By Me\r\nContent-Length: 2\r\n\r\nok');
    expect((await client.answer()).reason).toBe('Fine By Me');
  });
});

describe('RFC 9112 5: fields', () => {
  it('5.1: space before the colon is refused with 400', async () => {
    expect((await (await send(head('X : y\r\n'))).answer()).status).toBe(400);
  });

  it('5.1: space before the colon of an answer is not forwarded', async () => {
    const client = await given('HTTP/1.1 200 OK\r\nX : y\r\nContent-Length: 2\r\n\r\nok');
    const { status, headers } = await client.answer();
    if (status !== 502) expect(valuesOf(headers, 'x')).toEqual(['y']);
  });

  it('5.2: a folded line is refused with 400', async () => {
    expect((await (await send(head('X: y\r\n z\r\n'))).answer()).status).toBe(400);
  });

  it('5.2: a folded line of an answer is replaced, or a 502', async () => {
    const client = await given('HTTP/1.1 200 OK\r\nX: y\r\n\tz\r\nContent-Length: 2\r\n\r\nok');
    const { status, headers } = await client.answer();
    if (status !== 502) expect(valuesOf(headers, 'x')[0]).toMatch(/^y +z$/);
  });
});

describe('RFC 9112 6: bodies', () => {
  it('6.1: no coding is sent to HTTP/1.0', async () => {
    const client = await given(
      chunked('2\r\nhi\r\n3\r\n yo\r\n0\r\n\r\n'),
      head('', 'GET / HTTP/1.0'),
    );
    const { headers, body } = await client.answer();
    expect([valuesOf(headers, 'transfer-encoding'), body]).toEqual([[], 'hi yo']);
  });

  it.each([204, 304])('6.1: no coding is sent with %i', async (status) => {
    const client = await given(`HTTP/1.1 ${status} X\r\n${CODED}\r\n`);
    const answer = await client.answer();
    if (status === 204 || answer.status === 502)
      expect(valuesOf(answer.headers, 'transfer-encoding')).toEqual([]);
    expect([status, 502]).toContain(answer.status);
    client.close();
  });

  it('6.1: a coding that nobody knows is refused', async () => {
    const client = await send(post('Transfer-Encoding: gzip, chunked\r\n', '0\r\n\r\n'));
    expect([400, 501]).toContain((await client.answer()).status);
    expect(await client.untilClosed()).toBe('');
  });

  it('6.1: a coding in HTTP/1.0 closes the connection', async () => {
    const client = await send(head(CODED, 'POST / HTTP/1.0') + '0\r\n\r\n');
    expect((await client.answer()).status).toBe(400);
    expect(await client.untilClosed()).toBe('');
  });

  it('6.2: a length is never sent beside a coding', async () => {
    const client = await given(chunked('2\r\nok\r\n0\r\n\r\n', 'Content-Length: 2\r\n'));
    const { status, headers } = await client.answer();
    if (status !== 502) expect(valuesOf(headers, 'content-length')).toEqual([]);
  });

  it('6.3: a request without length and coding has no body', async () => {
    const { rawBody, headers } = await received(head('', 'DELETE / HTTP/1.1'));
    expect([rawBody, valuesOf(headers, 'transfer-encoding')]).toEqual(['', []]);
  });

  it('6.3: a POST without a body tells its length', async () => {
    expect(valuesOf((await received(post('', ''))).headers, 'content-length')).toEqual(['0']);
  });

  it('6.3: a body ends where its length says', async () => {
    const client = await send(post('Content-Length: 2\r\n', 'hi') + head('', 'GET /2 HTTP/1.1'));
    await client.answer();
    await client.answer();
    expect(app.requests.map(({ target, rawBody }) => [target, rawBody])).toEqual([
      ['/', 'hi'],
      ['/2', ''],
    ]);
  });

  it('6.3: an answer without length ends with its connection, and says so', async () => {
    const client = await given((_, socket) => void socket.end('HTTP/1.1 200 OK\r\n\r\nall of it'));
    const answer = await client.answer();
    expect(answer.body).toBe('all of it');
    if (answer.chunks.length === 0)
      expect(valuesOf(answer.headers, 'connection')).toEqual(['close']);
  });

  it('6.3: lengths that differ are a 502, and the connection to the app is gone', async () => {
    const bad = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok';
    const client = await given(({ method }) => (method === 'POST' ? bad : OK), post('', ''));
    expect((await client.answer()).status).toBe(502);
    client.write(head());
    expect((await client.answer()).status).toBe(200);
    expect(app.connections).toBe(2);
  });
});

describe('RFC 9112 7: chunks', () => {
  it.each([
    ['small ones', '1\r\nh\r\n1\r\ni\r\n0\r\n\r\n', 'hi'],
    ['capital digits', `A\r\n${'x'.repeat(10)}\r\n0\r\n\r\n`, 'x'.repeat(10)],
    ['leading zeros', '0002\r\nhi\r\n000\r\n\r\n', 'hi'],
    ['extensions', '2;a;b="c;d"\r\nhi\r\n0;e=f\r\n\r\n', 'hi'],
    ['data that looks like chunks', '5\r\n0\r\n\r\n\r\n0\r\n\r\n', '0\r\n\r\n'],
    ['none', '0\r\n\r\n', ''],
  ])('7.1: %s, both ways', async (_, body, data) => {
    const client = await given(chunked(body), post(CODED, body));
    expect((await client.answer()).body).toBe(data);
    const { headers, rawBody } = app.request;
    const isChunked = valuesOf(headers, 'transfer-encoding').length > 0;
    expect(isChunked ? dataOf(app.request) : rawBody).toBe(data);
  });

  it('7.1: cut anywhere', async () => {
    const body = '2;a=b\r\nhi\r\n3\r\n yo\r\n0\r\nX-Sum: 7\r\n\r\n';
    const client = await given((_, socket) => {
      void (async () => {
        for (const character of chunked(body)) {
          socket.write(character);
          await new Promise(setImmediate);
        }
      })();
      return undefined;
    });
    const answer = await client.answer();
    expect([answer.body, answer.trailers]).toEqual(['hi yo', [['x-sum', '7']]]);
  });

  it('7.1: a chunk is passed on when it comes', async () => {
    const client = await given(chunked('2\r\nhi\r\n'));
    await vi.waitUntil(() => client.rest.endsWith('\r\nhi\r\n'));
  });

  it('7.1.1: extensions are not forwarded', async () => {
    const client = await given(
      chunked('2;secret=1\r\nok\r\n0;secret\r\n\r\n'),
      post(CODED, '2;secret\r\nhi\r\n0\r\n\r\n'),
    );
    // The client takes no extension.
    expect((await client.answer()).body).toBe('ok');
    expect(app.request.rawBody).not.toContain('secret');
  });

  it('7.1.2: trailers are forwarded, and are no headers', async () => {
    const body = '2\r\nok\r\n0\r\nX-Sum: 7\r\nX-Sum: 8\r\n\r\n';
    const client = await given(
      chunked(body, 'Trailer: X-Sum\r\n'),
      post(`${CODED}Trailer: X-Sum\r\n`, body),
    );
    const answer = await client.answer();
    expect(answer.trailers).toEqual([
      ['x-sum', '7'],
      ['x-sum', '8'],
    ]);
    expect(valuesOf(answer.headers, 'x-sum')).toEqual([]);
    expect(app.request.rawBody).toMatch(/\r\n0\r\nX-Sum: 7\r\nX-Sum: 8\r\n\r\n$/);
    expect(valuesOf(app.request.headers, 'x-sum')).toEqual([]);
  });

  it('7.1.2: trailers for HTTP/1.0 are dropped', async () => {
    const client = await given(
      chunked('2\r\nok\r\n0\r\nX-Sum: 7\r\n\r\n'),
      head('', 'GET / HTTP/1.0'),
    );
    expect((await client.answer()).body).toBe('ok');
  });
});
