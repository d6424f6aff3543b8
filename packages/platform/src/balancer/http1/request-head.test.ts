import { describe, expect, it } from 'vitest';
import { Fault, INCOMPLETE } from './field-scanner.ts';
import { fieldOf, type RequestHead, RequestHeadReader } from './request-head.ts';

const reader = new RequestHeadReader();

const readEnd = (text: string): number => {
  const bytes = Buffer.from(text, 'latin1');
  return reader.read(bytes, 0, bytes.length);
};

function head(text: string): RequestHead {
  const end = readEnd(text);
  expect(end).toBeGreaterThan(0);
  return reader.head;
}

/** What goes on behind the request line and Host. */
const fieldsOf = ({ lead }: RequestHead): string =>
  lead.slice(lead.indexOf('\r\n', lead.indexOf('Host: ')) + 2);

const get = (fields = '', line = 'GET / HTTP/1.1') => `${line}\r\nHost: a.test\r\n${fields}\r\n`;

describe('a request head', () => {
  it('says what is asked for', () => {
    expect(
      head('POST /a/b?c=d HTTP/1.1\r\nHost: a.test:80\r\nContent-Length: 3\r\n\r\nabc'),
    ).toMatchObject({
      ...{ method: 'POST', target: '/a/b?c=d', path: '/a/b', authority: 'a.test:80' },
      ...{ body: { kind: 'length', bytes: 3 }, isHttp10: false, keepsAlive: true },
      lead: 'POST /a/b?c=d HTTP/1.1\r\nHost: a.test:80\r\n',
    });
  });

  it('ends where the body begins, wherever it stands in the bytes', () => {
    const text = get();
    expect(readEnd(`${text}GET /next`)).toBe(text.length);
    const bytes = Buffer.from(`xxxx${text}yyyy`, 'latin1');
    expect(reader.read(bytes, 4, bytes.length)).toBe(4 + text.length);
    expect(reader.head.authority).toBe('a.test');
  });

  it('is incomplete until its last byte', () => {
    const text = get('Accept: */*\r\nCookie: a=b\r\n', 'GET /some/path HTTP/1.1');
    for (let length = 0; length < text.length; length += 1)
      expect(readEnd(text.slice(0, length)), text.slice(0, length)).toBe(INCOMPLETE);
    expect(readEnd(text)).toBe(text.length);
  });

  it('may follow a few empty lines', () => {
    expect(head(`\r\n\r\n${get()}`).method).toBe('GET');
    expect(readEnd('\r\n\r\n')).toBe(INCOMPLETE);
    expect(readEnd(`${'\r\n'.repeat(5)}${get()}`)).toBe(Fault.startLine);
    expect(readEnd(`\n${get()}`)).toBe(Fault.startLine);
  });

  it('keeps the fields that go on, as they were written', () => {
    const fields = fieldsOf(
      head(get('Accept: a\r\ncookie:  b=c \t\r\nX-Empty:\r\nConnection: close\r\nAccept: d\r\n')),
    );
    expect(fields).toBe('Accept: a\r\ncookie:  b=c \t\r\nX-Empty:\r\nAccept: d\r\n');
  });

  it.each([
    ...['Keep-Alive', 'Proxy-Authorization', 'Proxy-Authenticate', 'Proxy-Connection', 'TE'],
    ...['Trailer', 'Upgrade', 'HTTP2-Settings', 'X-Forwarded-For', 'x-forwarded-anything'],
    ...['X-Tandem-Layer', 'Forwarded', 'X-Real-IP', 'X-Request-Id', 'X-Request-Start'],
    ...['X-Scheme', 'X-URL-Scheme', 'Front-End-Https', 'X_Forwarded_Proto', 'Any_Name', 'Expect'],
  ])('%s does not go on', (name) => {
    const fields = fieldsOf(head(get(`A: 1\r\n${name}: x\r\nB: 2\r\n`)));
    expect(fields).toBe('A: 1\r\nB: 2\r\n');
  });

  it.each(['X-Forwarde', 'X-Forwarded', 'X-Tandem', 'Hosts', 'Content-Lengths', 'XForwarded-For'])(
    '%s is nothing special',
    (name) => {
      expect(fieldsOf(head(get(`${name}: x\r\n`)))).toBe(`${name}: x\r\n`);
    },
  );

  it('loses what Connection names, but not what is for the app whoever names it', () => {
    const fields = 'X-Hop: 1\r\nCookie: a\r\nAuthorization: b\r\nX-Kept: 2\r\n';
    const connection = 'Connection: keep-alive, X-HOP , cookie\r\nConnection: authorization\r\n';
    expect(fieldsOf(head(get(connection + fields)))).toBe(
      'Cookie: a\r\nAuthorization: b\r\nX-Kept: 2\r\n',
    );
  });

  it('does not lose its first line to a name in Connection', () => {
    const text = get('Connection: get /a, get\r\n', 'GET /a:b HTTP/1.1');
    expect(head(text).lead).toBe('GET /a:b HTTP/1.1\r\nHost: a.test\r\n');
  });

  it('finds single fields by name, repeated ones joined', () => {
    const one = head(get('Accept: a\r\nX-Forwarded-For: 1\r\naccept:b\r\n'));
    expect(fieldOf(one, 'accept')).toBe('a, b');
    expect(fieldOf(one, 'x-forwarded-for')).toBe('1');
    expect(fieldOf(one, 'cookie')).toBeUndefined();
  });
});

describe('what follows the answer', () => {
  it.each([
    ['HTTP/1.1', '', true],
    ['HTTP/1.1', 'Connection: close\r\n', false],
    ['HTTP/1.1', 'Connection: keep-alive, CLOSE\r\n', false],
    ['HTTP/1.1', 'Connection: keep-alive\r\nConnection: close\r\n', false],
    ['HTTP/1.0', '', false],
    ['HTTP/1.0', 'Connection: Keep-Alive\r\n', true],
  ])('%s %j: another request: %s', (version, fields, expected) => {
    expect(head(get(fields, `GET / ${version}`)).keepsAlive).toBe(expected);
  });
});

describe('the body', () => {
  it.each([
    ['GET', '', { kind: 'none' }],
    ['POST', '', { kind: 'length', bytes: 0 }],
    ['PATCH', '', { kind: 'length', bytes: 0 }],
    ['DELETE', '', { kind: 'none' }],
    ['GET', 'Content-Length: 0\r\n', { kind: 'length', bytes: 0 }],
    ['GET', 'Content-Length: 007\r\n', { kind: 'length', bytes: 7 }],
    ['POST', 'Content-Length: 123456789012345\r\n', { kind: 'length', bytes: 123456789012345 }],
    ['POST', 'Transfer-Encoding: chunked\r\n', { kind: 'chunked' }],
    ['POST', 'transfer-encoding:CHUNKED \r\n', { kind: 'chunked' }],
  ])('%s with %j', (method, fields, expected) => {
    expect(head(get(fields, `${method} / HTTP/1.1`)).body).toEqual(expected);
  });

  it.each([
    ...['', ' ', '+1', '-1', '1,1', '1, 1', '0x1', '1e3', '1.0', '1 1', '\xb2', '1234567890123456'],
  ])('has no length %j', (length) => {
    expect(readEnd(get(`Content-Length: ${length}\r\n`))).toBe(Fault.contentLength);
  });

  it('has one length', () => {
    expect(readEnd(get('Content-Length: 1\r\nContent-Length: 1\r\n'))).toBe(Fault.contentLength);
  });

  it.each([
    ...['gzip', 'gzip, chunked', 'chunked, identity', 'chunked,', ',chunked', 'xchunked'],
    ...['chunked;a=b', '"chunked"', 'chunked chunked', ''],
  ])('has no coding %j', (coding) => {
    expect(readEnd(get(`Transfer-Encoding: ${coding}\r\n`))).toBe(Fault.transferCoding);
  });

  it('is framed in one way', () => {
    const chunked = 'Transfer-Encoding: chunked\r\n';
    expect(readEnd(get(chunked + chunked))).toBe(Fault.transferCoding);
    expect(readEnd(get(`${chunked}Content-Length: 1\r\n`))).toBe(Fault.transferCoding);
    expect(readEnd(get(`Content-Length: 1\r\n${chunked}`))).toBe(Fault.transferCoding);
    expect(readEnd(get(chunked, 'POST / HTTP/1.0'))).toBe(Fault.transferCoding);
  });
});

describe('the target', () => {
  it('may be absolute; its authority wins over Host', () => {
    expect(head(get('', 'GET http://B.test:81/x?y HTTP/1.1'))).toMatchObject({
      ...{ authority: 'B.test:81', target: '/x?y', path: '/x' },
    });
    expect(head(get('', 'GET HTTPS://b.test HTTP/1.1')).target).toBe('/');
    expect(head(get('', 'GET http://b.test?q HTTP/1.1')).target).toBe('/?q');
    expect(head(get('', 'OPTIONS http://b.test HTTP/1.1')).target).toBe('*');
    expect(head(get('', 'OPTIONS * HTTP/1.1')).target).toBe('*');
  });

  it.each([
    ...['*', 'a.test', 'ftp://a.test/', 'http:///x', 'http://user@a.test/', '/#x', '/a\\b'],
    ...['/\x7f', '/ä', '/\0', '/\t', ''],
  ])('is not %j', (target) => {
    expect(readEnd(get('', `GET ${target} HTTP/1.1`))).toBe(Fault.target);
  });
});

describe('no request head', () => {
  it.each([
    ['GET / HTTP/1.2', Fault.version],
    ['GET / HTTP/2.0', Fault.version],
    ['GET / http/1.1', Fault.version],
    ['GET /', Fault.target],
    ['GET / HTTP/1.1 ', Fault.version],
    ['GET  / HTTP/1.1', Fault.target],
    ['GET /  HTTP/1.1', Fault.version],
    [' GET / HTTP/1.1', Fault.startLine],
    ['G(T / HTTP/1.1', Fault.startLine],
    [`${'A'.repeat(33)} / HTTP/1.1`, Fault.method],
    ['CONNECT /x HTTP/1.1', Fault.method],
  ])('begins with %j', (line, fault) => {
    expect(readEnd(get('', line))).toBe(fault);
  });

  it.each([
    ['A : b\r\n', Fault.name],
    [' A: b\r\n', Fault.name],
    ['A: b\r\n c\r\n', Fault.name],
    [': b\r\n', Fault.name],
    ['A\r\n', Fault.name],
    ['A(: b\r\n', Fault.name],
    ['A: b\n', Fault.value],
    ['A: b\rc\r\n', Fault.value],
    ['A: b\0\r\n', Fault.value],
    ['A: b\x7f\r\n', Fault.value],
    ['\r', Fault.name],
  ])('has a line %j', (line, fault) => {
    expect(readEnd(get(line))).toBe(fault);
  });

  it('has no Host, or two, or too many fields', () => {
    expect(readEnd('GET / HTTP/1.1\r\n\r\n')).toBe(Fault.host);
    expect(readEnd('GET http://a.test/ HTTP/1.1\r\n\r\n')).toBe(Fault.host);
    expect(readEnd(get('HOST: a.test\r\n'))).toBe(Fault.host);
    expect(readEnd(get('A: b\r\n'.repeat(127)))).toBeGreaterThan(0);
    expect(readEnd(get('A: b\r\n'.repeat(128)))).toBe(Fault.tooMany);
  });

  it('comes from any of 256 octets where they may not stand', () => {
    for (let octet = 0; octet < 256; octet += 1) {
      const character = String.fromCharCode(octet);
      const isToken = /[!#$%&'*+.^_`|~0-9A-Za-z-]/.test(character);
      const isValue = octet === 9 || (octet >= 0x20 && octet !== 0x7f);
      expect(readEnd(get(`A${character}B: c\r\n`)) > 0, `name ${octet}`).toBe(
        isToken || character === ':',
      );
      expect(readEnd(get(`A: b${character}c\r\n`)) > 0, `value ${octet}`).toBe(isValue);
    }
  });
});

describe('WebSocket', () => {
  const upgrade = 'Connection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n';

  it('is asked for by a GET of HTTP/1.1 without a body', () => {
    expect(head(get(upgrade)).asksForWebSocket).toBe(true);
    expect(head(get(upgrade, 'POST / HTTP/1.1')).asksForWebSocket).toBe(false);
    expect(head(get(upgrade, 'GET / HTTP/1.0')).asksForWebSocket).toBe(false);
    expect(head(get(`${upgrade}Content-Length: 1\r\n`)).asksForWebSocket).toBe(false);
    expect(head(get('Upgrade: websocket\r\n')).asksForWebSocket).toBe(false);
    expect(head(get('Connection: Upgrade\r\nUpgrade: h2c\r\n')).asksForWebSocket).toBe(false);
  });
});
