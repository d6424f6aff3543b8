import { describe, expect, it } from 'vitest';
import { fieldLinesOf } from '../http1/field-text.ts';
import type { ResponseHead } from '../http1/response-head.ts';
import { compressedHead, isCompressible, preferredCoding, withVary } from './compression.ts';

const head = (fields: string, more: Partial<ResponseHead> = {}): ResponseHead => ({
  ...{ status: 200, body: { kind: 'chunked' }, lead: `HTTP/1.1 200 OK\r\n${fields}` },
  ...{ hasRequestId: false, hasDate: true, upgrade: undefined, keepsAlive: true },
  ...more,
});
const typed = (type: string): ResponseHead => head(`Content-Type: ${type}\r\n`);

describe('what a client prefers', () => {
  it.each([
    ['gzip', 'gzip'],
    ['gzip, deflate, br, zstd', 'br'],
    ['br;q=0.8, gzip', 'gzip'],
    ['GZIP;Q=0.5', 'gzip'],
    ['x-gzip', 'gzip'],
    ['*', 'br'],
    ['br;q=0, *;q=0.5', 'gzip'],
    ['identity;q=0.5, gzip;q=0.5', 'gzip'],
    [undefined, undefined],
    ['', undefined],
    ['identity', undefined],
    ['*;q=0', undefined],
    ['gzip;q=0.000', undefined],
    ['gzip;q=2', undefined],
    ['gzip;q=x', undefined],
    ['gzipped', undefined],
    [',;=,q', undefined],
    ['deflate, zstd', undefined],
  ])('%j: %s', (text, coding) => expect(preferredCoding(text)).toBe(coding));
});

describe('what is worth compressing', () => {
  it.each([
    ...['text/html', 'TEXT/CSS; charset=utf-8', 'application/json', 'application/ld+json'],
    ...['image/svg+xml', 'application/javascript', 'application/wasm', 'text/plain;x="y"'],
  ])('%s', (type) => expect(isCompressible(typed(type))).toBe(true));

  it.each([
    ...['image/png', 'text/event-stream', 'text/event-stream; charset=utf-8', 'application/zip'],
    ...['', 'html', 'font/woff2', 'application/octet-stream', 'video/mp4', 'text/'],
  ])('not %j', (type) => expect(isCompressible(typed(type))).toBe(false));

  it('needs a body of some size, whole, that nobody forbids to change', () => {
    const type = 'Content-Type: text/html\r\n';
    expect(isCompressible(head(type, { body: { kind: 'length', bytes: 1_024 } }))).toBe(true);
    expect(isCompressible(head(type, { body: { kind: 'length', bytes: 1_023 } }))).toBe(false);
    expect(isCompressible(head(type, { body: { kind: 'none' } }))).toBe(false);
    expect(isCompressible(head(type, { status: 206 }))).toBe(false);
    for (const field of [
      ...['Content-Encoding: gzip', 'content-encoding: identity', 'Content-Range: bytes 0-1/2'],
      ...['Cache-Control: no-transform', 'CACHE-CONTROL: public,NO-TRANSFORM , max-age=1'],
    ])
      expect(isCompressible(head(`${type}${field}\r\n`)), field).toBe(false);
    expect(isCompressible(head(`${type}Cache-Control: no-transformation\r\n`))).toBe(true);
  });
});

describe('the head of a compressed answer', () => {
  it('says nothing of the body that is not sent', () => {
    const fields =
      'Content-Length: 5\r\nETag: "a"\r\nX-Kept: 1\r\nAccept-Ranges: bytes\r\nContent-MD5: x\r\n';
    const compressed = compressedHead(head(fields), 'br');
    expect(compressed.body).toEqual({ kind: 'close' });
    expect(fieldLinesOf(compressed.lead)).toBe(
      'ETag: W/"a"\r\nX-Kept: 1\r\nContent-Encoding: br\r\n',
    );
  });

  it('keeps a weak entity tag as it is, and touches no other field', () => {
    const fields = 'etag: W/"a"\r\nX-ETag: "b"\r\n';
    expect(fieldLinesOf(compressedHead(head(fields), 'gzip').lead)).toBe(
      `${fields}Content-Encoding: gzip\r\n`,
    );
  });

  it('names Accept-Encoding once', () => {
    expect(fieldLinesOf(withVary(head('Vary: Cookie\r\n')).lead)).toBe(
      'Vary: Cookie\r\nVary: Accept-Encoding\r\n',
    );
    for (const fields of ['Vary: *\r\n', 'Vary: Cookie, ACCEPT-encoding\r\n'])
      expect(fieldLinesOf(withVary(head(fields)).lead)).toBe(fields);
  });
});
