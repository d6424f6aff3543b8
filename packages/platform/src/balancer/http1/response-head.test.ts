import { describe, expect, it } from 'vitest';
import { Fault, INCOMPLETE } from './field-scanner.ts';
import { type ResponseHead, ResponseHeadReader } from './response-head.ts';

const reader = new ResponseHeadReader();

const readEnd = (text: string, method = 'GET'): number => {
  const bytes = Buffer.from(text, 'latin1');
  return reader.read(bytes, 0, bytes.length, method);
};

function head(text: string, method = 'GET'): ResponseHead {
  expect(readEnd(text, method)).toBe(text.length);
  return reader.head;
}

const fieldsOf = ({ lead }: ResponseHead): string => lead.slice(lead.indexOf('\r\n') + 2);

const answer = (fields = '', line = 'HTTP/1.1 200 OK') => `${line}\r\n${fields}\r\n`;

describe('the head of an answer', () => {
  it('keeps status, reason and fields as the app wrote them', () => {
    expect(
      head(answer('Server: x\r\nset-cookie: a\r\nSet-Cookie: b\r\n', 'HTTP/1.1 404 No Such')),
    ).toMatchObject({
      ...{ status: 404, hasRequestId: false, keepsAlive: false },
      lead: 'HTTP/1.1 404 No Such\r\nServer: x\r\nset-cookie: a\r\nSet-Cookie: b\r\n',
    });
  });

  it('may have an empty reason, or none', () => {
    expect(head(answer('', 'HTTP/1.1 200 ')).lead).toBe('HTTP/1.1 200 \r\n');
    expect(head(answer('', 'HTTP/1.0 200')).lead).toBe('HTTP/1.1 200\r\n');
  });

  it('is incomplete until its last byte', () => {
    const text = answer('Content-Length: 2\r\nConnection: close\r\n');
    for (let length = 0; length < text.length; length += 1)
      expect(readEnd(text.slice(0, length)), text.slice(0, length)).toBe(INCOMPLETE);
  });

  it('loses what is for one hop, and names with _ go on', () => {
    const hop = 'Connection: keep-alive, X-Hop\r\nKeep-Alive: timeout=5\r\nX-Hop: 1\r\n';
    const more = 'Transfer-Encoding: chunked\r\nTrailer: X\r\nUpgrade: h2c\r\nX_Kept: 2\r\n';
    expect(fieldsOf(head(answer(`A: 1\r\n${hop}${more}`)))).toBe('A: 1\r\nX_Kept: 2\r\n');
  });

  it('keeps its first line whatever Connection names', () => {
    const line = 'HTTP/1.1 200 OK';
    for (const named of [line, `${line},`, 'HTTP/1.1 200 O'])
      expect(head(answer(`Connection: ${named}\r\n`, `${line} `)).lead).toBe(`${line} \r\n`);
  });

  it('knows a request id of the app', () => {
    expect(head(answer('x-request-ID: mine\r\n'))).toMatchObject({
      ...{ hasRequestId: true, lead: 'HTTP/1.1 200 OK\r\nx-request-ID: mine\r\n' },
    });
  });
});

describe('the body of an answer', () => {
  const length = 'Content-Length: 5\r\n';
  const chunked = 'Transfer-Encoding: chunked\r\n';

  it.each([
    ['GET', 200, length, { kind: 'length', bytes: 5 }],
    ['GET', 200, chunked, { kind: 'chunked' }],
    ['GET', 200, '', { kind: 'close' }],
    ['HEAD', 200, length, { kind: 'none' }],
    ['HEAD', 200, chunked, { kind: 'none' }],
    ['GET', 204, '', { kind: 'none' }],
    ['GET', 304, length, { kind: 'none' }],
    ['GET', 103, '', { kind: 'none' }],
  ])('%s, %i with %j', (method, status, fields, expected) => {
    expect(head(answer(fields, `HTTP/1.1 ${status} X`), method).body).toEqual(expected);
  });

  it('of a 304 and of HEAD keeps its length, of a 204 and a 1xx loses it', () => {
    expect(fieldsOf(head(answer(length, 'HTTP/1.1 304 X')))).toBe(length);
    expect(fieldsOf(head(answer(length), 'HEAD'))).toBe(length);
    expect(fieldsOf(head(answer(length, 'HTTP/1.1 204 X')))).toBe('');
    expect(fieldsOf(head(answer(`Link: x\r\n${length}`, 'HTTP/1.1 103 X')))).toBe('Link: x\r\n');
  });

  it.each([
    [length + chunked, Fault.transferCoding],
    [chunked + chunked, Fault.transferCoding],
    ['Transfer-Encoding: gzip\r\n', Fault.transferCoding],
    [length + length, Fault.contentLength],
    ['Content-Length: x\r\n', Fault.contentLength],
  ])('is not framed by %j', (fields, fault) => {
    expect(readEnd(answer(fields))).toBe(fault);
  });
});

describe('the connection of an answer', () => {
  const length = 'Content-Length: 5\r\n';

  it.each([
    ['HTTP/1.1', length, true],
    ['HTTP/1.1', `${length}Connection: close\r\n`, false],
    ['HTTP/1.1', '', false],
    ['HTTP/1.0', length, false],
    ['HTTP/1.0', `${length}Connection: keep-alive\r\n`, true],
  ])('%s with %j serves again: %s', (version, fields, expected) => {
    expect(head(answer(fields, `${version} 200 OK`)).keepsAlive).toBe(expected);
  });
});

describe('no answer', () => {
  it.each([
    ...['HTTP/1.1 99 X', 'HTTP/1.1 600 X', 'HTTP/1.1 2000 X', 'HTTP/1.1 abc X', 'HTTP/1.1  200 X'],
    ...['HTTP/1.2 200 X', 'HTTP/2 200 X', 'HTTP/1.1200 X', 'ICY 200 OK', 'HTTP/1.1 200\tX'],
    'HTTP/1.1 200 X\0',
  ])('begins with %j', (line) => {
    expect(readEnd(answer('', line))).toBeLessThan(INCOMPLETE);
  });
});
