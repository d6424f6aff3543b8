// What RFC 9110 (HTTP Semantics) demands of an intermediary, section by section.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TestBalancer } from '../support/balancer-server.ts';
import { type RawAnswer, RawClient, valuesOf } from '../support/raw-client.ts';
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
const EXPECT = 'Expect: 100-continue\r\nContent-Length: 2\r\n';
const head = (headers = '', line = 'GET / HTTP/1.1'): string => `${line}\r\n${HOST}${headers}\r\n`;

/** A request with these headers, as the app received it. */
async function received(headers = '', line?: string): Promise<AppRequest> {
  await (await send(head(headers, line))).answer();
  return app.request;
}

/** What a client is given for this answer of the app. */
async function given(answer: AppAnswer, headers = '', line?: string): Promise<RawAnswer> {
  app.answer = answer;
  return (await send(head(headers, line))).answer(line?.split(' ')[0]);
}

const answerWith = (headers: string): string =>
  `HTTP/1.1 200 OK\r\n${headers}Content-Length: 2\r\n\r\nok`;

describe('RFC 9110 5: fields', () => {
  it('5.1: unknown headers are forwarded, both ways', async () => {
    const answer = await given(answerWith('X-Nobody-Knows: b\r\n'), 'X-Unheard-Of: a\r\n');
    expect(valuesOf(app.request.headers, 'x-unheard-of')).toEqual(['a']);
    expect(valuesOf(answer.headers, 'x-nobody-knows')).toEqual(['b']);
  });

  it('5.3: headers of one name keep their order, both ways', async () => {
    const lines = 'X-A: 1\r\nX-B: 2\r\nX-A: 3\r\nx-a: 4\r\n';
    const answer = await given(answerWith(lines), lines);
    const listed = (headers: RawAnswer['headers']): string =>
      valuesOf(headers, 'x-a')
        .join(', ')
        .replaceAll(/\s*,\s*/g, ',');
    expect([listed(app.request.headers), listed(answer.headers)]).toEqual(['1,3,4', '1,3,4']);
  });

  it('5.3: Set-Cookie is never joined', async () => {
    const answer = await given(answerWith('Set-Cookie: a=1, x\r\nX: y\r\nSet-Cookie: b=2\r\n'));
    expect(valuesOf(answer.headers, 'set-cookie')).toEqual(['a=1, x', 'b=2']);
  });

  it('5.5: bytes above ASCII pass as they are', async () => {
    const answer = await given(answerWith('X: \xe4\xff\r\n'), 'X: \xff\xe4\r\n');
    expect(valuesOf(app.request.headers, 'x')).toEqual(['\xff\xe4']);
    expect(valuesOf(answer.headers, 'x')).toEqual(['\xe4\xff']);
  });

  it('5.5: an empty value stays a header', async () => {
    expect(valuesOf((await received('X-Empty:\r\n')).headers, 'x-empty')).toEqual(['']);
  });

  it('5.6.1: empty elements in Connection are ignored', async () => {
    const { headers } = await received('Connection: ,, X-A , ,\r\nX-A: 1\r\nX-B: 2\r\n');
    expect([valuesOf(headers, 'x-a'), valuesOf(headers, 'x-b')]).toEqual([[], ['2']]);
  });
});

describe('RFC 9110 6.6.1: Date', () => {
  it('is added to an answer that has none', async () => {
    const [date = ''] = valuesOf((await given(OK)).headers, 'date');
    expect(date).toMatch(/^\w{3}, \d{2} \w{3} \d{4} \d{2}:\d{2}:\d{2} GMT$/);
    expect(Math.abs(Date.parse(date) - Date.now())).toBeLessThan(3_000);
  });

  it('of the app is left alone', async () => {
    const date = 'Sun, 06 Nov 1994 08:49:37 GMT';
    const answer = await given(answerWith(`Date: ${date}\r\n`));
    expect(valuesOf(answer.headers, 'date')).toEqual([date]);
  });

  it('is in answers of our own', async () => {
    const client = await send('GET / HTTP/1.1\r\nHost: nobody.test\r\n\r\n');
    expect(valuesOf((await client.answer()).headers, 'date')).toHaveLength(1);
  });
});

describe('RFC 9110 7.6.1: Connection', () => {
  it.each(['Keep-Alive', 'Proxy-Connection', 'TE', 'Upgrade', 'Proxy-Authenticate'])(
    '%s of an answer goes no further, named or not',
    async (name) => {
      const answer = await given(answerWith(`${name}: x\r\n`));
      expect(valuesOf(answer.headers, name.toLowerCase())).not.toContain('x');
    },
  );

  it('options are removed with the header, whatever their case', async () => {
    const answer = await given(
      answerWith('Connection: x-HOP\r\nX-Hop: 1\r\nX-Other: 2\r\n'),
      'Connection: X-hOp, keep-alive\r\nx-hop: 1\r\nX-Other: 2\r\n',
    );
    for (const { headers } of [app.request, answer]) {
      expect(valuesOf(headers, 'x-hop')).toEqual([]);
      expect(valuesOf(headers, 'x-other')).toEqual(['2']);
      expect(valuesOf(headers, 'connection').join()).not.toMatch(/hop/i);
    }
  });

  it('close of a client is not passed on', async () => {
    const { headers } = await received('Connection: close\r\n');
    expect(valuesOf(headers, 'connection').join()).not.toMatch(/close/i);
  });

  it('close of an app is not passed on', async () => {
    const client = await send(head());
    app.answer = (_, socket) => void socket.end(answerWith('Connection: close\r\n'));
    expect(valuesOf((await client.answer()).headers, 'connection').join()).not.toMatch(/close/i);
    app.answer = OK;
    client.write(head());
    expect((await client.answer()).status).toBe(200);
  });

  it('cannot take away what the request is framed by', async () => {
    const client = await send(
      `${head('Connection: Content-Length, Host\r\nContent-Length: 2\r\n', 'POST / HTTP/1.1')}hi`,
    );
    expect((await client.answer()).status).toBe(200);
    expect(app.request.rawBody).toBe('hi');
    expect(valuesOf(app.request.headers, 'host')).toEqual(['a.test']);
  });

  it('cannot take away what the answer is framed by', async () => {
    const answer = await given(answerWith('Connection: Content-Length\r\n'));
    expect(answer.body).toBe('ok');
  });
});

describe('RFC 9110 7.6.2: Max-Forwards', () => {
  it.each(['OPTIONS', 'TRACE'])('of 0 on %s goes no further', async (method) => {
    const client = await send(head('Max-Forwards: 0\r\n', `${method} / HTTP/1.1`));
    await client.answer();
    expect(app.requests).toEqual([]);
  });

  it('on OPTIONS is one less behind us', async () => {
    const { headers } = await received('Max-Forwards: 7\r\n', 'OPTIONS / HTTP/1.1');
    expect(valuesOf(headers, 'max-forwards')).toEqual(['6']);
  });

  it('on other methods means nothing', async () => {
    expect((await received('Max-Forwards: 0\r\n')).method).toBe('GET');
  });
});

// A gateway MUST add Via to requests. We do not, as nginx does not: apps make nothing of it, and the
// route to them is ours alone. What others added stays.
it('RFC 9110 7.6.3: Via of others passes, both ways', async () => {
  const answer = await given(answerWith('Via: 1.1 inner\r\n'), 'Via: 1.0 outer, 1.1 edge\r\n');
  expect(valuesOf(app.request.headers, 'via')).toEqual(['1.0 outer, 1.1 edge']);
  expect(valuesOf(answer.headers, 'via')).toEqual(['1.1 inner']);
});

describe('RFC 9110 7.7: nothing is transformed', () => {
  it.each(['/a//b/./../c', '/%7euser', '/%7Euser', '/?', '/a?b?c=%20+', '/;a=b', '/a%2Fb', '/%'])(
    'the target %s',
    async (target) => {
      expect((await received('', `GET ${target} HTTP/1.1`)).target).toBe(target);
    },
  );

  it('the bytes of a body, whatever they are', async () => {
    const all = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte)).join('');
    const client = await send(head('Content-Length: 256\r\n', 'POST / HTTP/1.1') + all);
    app.answer = `HTTP/1.1 200 OK\r\nContent-Length: 256\r\n\r\n${all}`;
    expect((await client.answer()).body === all).toBe(true);
    expect(app.request.rawBody === all).toBe(true);
  });

  it('what describes a body', async () => {
    const lines = [
      ['content-encoding', 'gzip'],
      ['content-type', 'text/html; charset=utf-8'],
      ['content-range', 'bytes 0-1/10'],
      ['etag', 'W/"x"'],
      ['last-modified', 'Sun, 06 Nov 1994 08:49:37 GMT'],
      ['vary', 'Accept-Encoding, Cookie'],
      ['cache-control', 'no-transform, private'],
      ['warning', '199 - "x"'],
      ['server', 'app/1.0'],
    ] as const;
    const answer = await given(
      answerWith(lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')),
    );
    for (const [name, value] of lines) expect(valuesOf(answer.headers, name)).toEqual([value]);
  });
});

describe('RFC 9110 7.8: Upgrade', () => {
  const handshake = 'Connection: Upgrade\r\nUpgrade: websocket\r\n';

  it.each(['h2c', 'TLS/1.2', 'foo/2, websocket2'])('to %s is ignored', async (protocol) => {
    const client = await send(head(`Connection: Upgrade\r\nUpgrade: ${protocol}\r\n`) + head());
    expect([(await client.answer()).status, (await client.answer()).status]).toEqual([200, 200]);
    expect(valuesOf(app.requests[0]?.headers ?? [], 'upgrade')).toEqual([]);
  });

  it('in HTTP/1.0 is ignored', async () => {
    const { headers } = await received(handshake, 'GET / HTTP/1.0');
    expect(valuesOf(headers, 'upgrade')).toEqual([]);
  });

  it('to WebSocket goes on with its connection option', async () => {
    app.answer =
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
    const answer = await (await send(head(handshake))).answer();
    expect(valuesOf(app.request.headers, 'connection').join()).toMatch(/upgrade/i);
    expect(answer.status).toBe(101);
    expect(valuesOf(answer.headers, 'upgrade')).toEqual(['websocket']);
    expect(valuesOf(answer.headers, 'connection').join()).toMatch(/upgrade/i);
  });
});

describe('RFC 9110 8.6: Content-Length', () => {
  it.each(['+2', '2, 3', '-1', 'x'])('of %s in an answer is not forwarded', async (value) => {
    const answer = await given(`HTTP/1.1 200 OK\r\nContent-Length: ${value}\r\n\r\nok`);
    expect(answer.status).toBe(502);
  });

  it('is not sent with 204', async () => {
    const answer = await given('HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n');
    if (answer.status === 204) expect(valuesOf(answer.headers, 'content-length')).toEqual([]);
    else expect(answer.status).toBe(502);
  });
});

describe('RFC 9110 9: methods', () => {
  it.each(['QUERY', 'PROPFIND', 'BREW', 'x-lower', 'M-SEARCH', 'GETX'])(
    '9.1: %s is forwarded',
    async (method) => {
      expect((await received('', `${method} /x HTTP/1.1`)).method).toBe(method);
    },
  );

  it.each(['POST', 'PATCH', 'LOCK', 'BREW'])('9.2.2: %s is not repeated', async (method) => {
    app.answer = (_, socket) => void socket.destroy();
    const answer = await (
      await send(head('Content-Length: 0\r\n', `${method} / HTTP/1.1`))
    ).answer();
    expect([answer.status, app.requests.length]).toEqual([502, 1]);
  });

  it('9.3.2: HEAD keeps the headers and has no body', async () => {
    app.answer = 'HTTP/1.1 200 OK\r\nContent-Length: 12345\r\nX: y\r\n\r\n';
    const client = await send(head('', 'HEAD / HTTP/1.1'));
    const answer = await client.answer('HEAD');
    expect(valuesOf(answer.headers, 'content-length')).toEqual(['12345']);
    expect(await client.isSilent(50)).toBe(true);
  });

  it('9.3.6: CONNECT is refused', async () => {
    const client = await send(`CONNECT a.test:443 HTTP/1.1\r\n${HOST}\r\n`);
    expect((await client.answer()).status).toBeGreaterThanOrEqual(400);
    expect(app.requests).toEqual([]);
  });

  it('9.3.7: OPTIONS * reaches the app of the host', async () => {
    expect((await received('', 'OPTIONS * HTTP/1.1')).target).toBe('*');
  });
});

describe('RFC 9110 10.1.1: Expect', () => {
  it('100-continue is answered before the body comes', async () => {
    const client = await send(head(EXPECT, 'POST / HTTP/1.1'));
    expect((await client.answer()).status).toBe(100);
    client.write('hi');
    expect((await client.answer()).status).toBe(200);
    expect(app.request.rawBody).toBe('hi');
  });

  it('100-continue is answered once', async () => {
    app.answer = `HTTP/1.1 100 Continue\r\n\r\n${OK}`;
    const client = await send(head(EXPECT, 'POST / HTTP/1.1'));
    expect((await client.answer()).status).toBe(100);
    client.write('hi');
    const statuses = [(await client.answer()).status];
    if (statuses[0] === 100) statuses.push((await client.answer()).status);
    expect(statuses).toEqual([200]);
  });

  it('100-continue in HTTP/1.0 is ignored', async () => {
    const client = await send(head(EXPECT, 'POST / HTTP/1.0'));
    expect(await client.isSilent(100)).toBe(true);
    client.write('hi');
    expect((await client.answer()).status).toBe(200);
  });

  it('100-continue for nobody gets its final answer at once', async () => {
    const client = await send(`POST / HTTP/1.1\r\nHost: nobody.test\r\n${EXPECT}\r\n`);
    expect((await client.answer()).status).toBe(404);
  });

  it('100-continue without a body asks for nothing', async () => {
    const client = await send(head('Expect: 100-continue\r\n'));
    expect((await client.answer()).status).toBe(200);
  });

  it('that nobody knows is refused with 417 or ignored', async () => {
    const client = await send(
      `${head('Expect: magic\r\nContent-Length: 2\r\n', 'POST / HTTP/1.1')}hi`,
    );
    expect([200, 417]).toContain((await client.answer()).status);
  });
});

describe('RFC 9110 10.1.4: TE', () => {
  it.each(['trailers', 'gzip;q=0.5', 'trailers, deflate'])('of %s stays here', async (value) => {
    const { headers } = await received(`TE: ${value}\r\nConnection: TE\r\n`);
    expect(valuesOf(headers, 'te').filter((te) => te !== 'trailers')).toEqual([]);
  });
});

describe('RFC 9110 11: credentials', () => {
  it('11.6.2: Authorization is not changed', async () => {
    const { headers } = await received('Authorization: Bearer  a.b,c="d"\r\n');
    expect(valuesOf(headers, 'authorization')).toEqual(['Bearer  a.b,c="d"']);
  });

  it('11.6.1: challenges are not changed', async () => {
    const lines = 'WWW-Authenticate: Basic realm="a, b"\r\nWWW-Authenticate: Negotiate\r\n';
    const answer = await given(answerWith(lines));
    expect(valuesOf(answer.headers, 'www-authenticate')).toEqual([
      'Basic realm="a, b"',
      'Negotiate',
    ]);
  });

  it('11.7.2: Proxy-Authorization is for a proxy, not for the app', async () => {
    const { headers } = await received('Proxy-Authorization: Basic eDp5\r\n');
    expect(valuesOf(headers, 'proxy-authorization')).toEqual([]);
  });
});

describe('RFC 9110 13, 14: conditions and ranges', () => {
  it('pass both ways', async () => {
    const answer = await given(
      'HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 2-3/9\r\nContent-Length: 2\r\n\r\nok',
      'Range: bytes=2-3\r\nIf-Range: "x"\r\nIf-None-Match: W/"a", "b"\r\n',
    );
    expect(valuesOf(app.request.headers, 'range')).toEqual(['bytes=2-3']);
    expect(valuesOf(app.request.headers, 'if-none-match')).toEqual(['W/"a", "b"']);
    expect([answer.status, answer.body]).toEqual([206, 'ok']);
    expect(valuesOf(answer.headers, 'content-range')).toEqual(['bytes 2-3/9']);
  });
});

describe('RFC 9110 15: status', () => {
  it.each([103, 102, 104, 199])('15.2: %i is forwarded, then the final answer', async (status) => {
    app.answer = `HTTP/1.1 ${status} Early\r\nLink: </a.css>\r\nX: y\r\n\r\n${OK}`;
    const client = await send(head());
    const early = await client.answer();
    expect([early.status, valuesOf(early.headers, 'link')]).toEqual([status, ['</a.css>']]);
    expect((await client.answer()).status).toBe(200);
  });

  it('15.2: several are forwarded, in order and at once', async () => {
    app.answer = (_, socket) => {
      socket.write('HTTP/1.1 103 Early Hints\r\nLink: <1>\r\n\r\n');
      void sleep(50).then(() => socket.write('HTTP/1.1 103 Early Hints\r\nLink: <2>\r\n\r\n'));
      void sleep(1_000).then(() => socket.write(OK));
      return undefined;
    };
    const client = await send(head());
    const startedMs = performance.now();
    for (const link of ['<1>', '<2>'])
      expect(valuesOf((await client.answer()).headers, 'link')).toEqual([link]);
    expect(performance.now() - startedMs).toBeLessThan(800);
    expect((await client.answer()).status).toBe(200);
  });

  it('15.2: none goes to HTTP/1.0', async () => {
    const answer = await given(
      `HTTP/1.1 103 Early Hints\r\nLink: <1>\r\n\r\n${OK}`,
      '',
      'GET / HTTP/1.0',
    );
    expect([answer.status, answer.body]).toEqual([200, 'ok']);
  });

  it.each([204, 304])('15.3.5, 15.4.5: %i has no body', async (status) => {
    app.answer = `HTTP/1.1 ${status} X\r\n\r\n`;
    const client = await send(head());
    const answer = await client.answer();
    expect([answer.status, valuesOf(answer.headers, 'transfer-encoding')]).toEqual([status, []]);
    expect(await client.isSilent(50)).toBe(true);
  });

  it('15.4.5: 304 keeps its validators', async () => {
    const answer = await given('HTTP/1.1 304 Not Modified\r\nETag: "a"\r\nVary: X\r\n\r\n');
    expect([valuesOf(answer.headers, 'etag'), valuesOf(answer.headers, 'vary')]).toEqual([
      ['"a"'],
      ['X'],
    ]);
  });

  it.each([299, 399, 418, 451, 499, 599])('15: %i is forwarded as it is', async (status) => {
    const answer = await given(`HTTP/1.1 ${status} Some Reason\r\nContent-Length: 2\r\n\r\nok`);
    expect([answer.status, answer.body]).toEqual([status, 'ok']);
  });

  it('15.5.22: 426 says to what', async () => {
    const answer = await given(
      'HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nContent-Length: 2\r\n\r\nok',
    );
    expect([answer.status, valuesOf(answer.headers, 'upgrade')]).toEqual([426, ['websocket']]);
    expect(valuesOf(answer.headers, 'connection').join()).toMatch(/upgrade/i);
  });
});
