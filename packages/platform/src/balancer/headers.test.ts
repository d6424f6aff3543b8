import { describe, expect, it } from 'vitest';
import { originOf, TrustedPeers } from './client-origin.ts';
import { requestHeaders, responseHeaders, trailersOf } from './headers.ts';

const origin = originOf(
  { remoteAddress: '::ffff:203.0.113.9', hostHeader: 'a.test', header: () => undefined },
  new TrustedPeers([]),
);
const context = {
  requestId: 'r1',
  hostHeader: 'a.test',
  origin,
  framing: { kind: 'none' },
  startedWallMs: 1_700_000_000_000,
} as const;

describe('requestHeaders', () => {
  it('keeps what is the client’s and writes what is ours', () => {
    const raw = [
      'Host',
      'x',
      'Cookie',
      'a=1',
      'cookie',
      'b=2',
      'X-Forwarded-For',
      'evil',
      'A_B',
      'c',
    ];
    expect(requestHeaders(raw, context)).toEqual([
      ...['Host', 'a.test', 'Cookie', 'a=1', 'cookie', 'b=2'],
      ...['X-Forwarded-For', '203.0.113.9', 'X-Forwarded-Proto', 'http'],
      ...['X-Forwarded-Protocol', 'http', 'X-Forwarded-Host', 'a.test', 'X-Forwarded-Port', '80'],
      ...['X-Request-Id', 'r1', 'X-Request-Start', 't=1700000000000'],
    ]);
  });

  it('frames the body once, whatever the client wrote', () => {
    const raw = ['Content-Length', '9', 'Transfer-Encoding', 'chunked', 'Expect', '100-continue'];
    const framed = requestHeaders(raw, { ...context, framing: { kind: 'length', bytes: 3 } });
    expect(framed.filter((text) => /content-length|transfer-encoding|expect/i.test(text))).toEqual([
      'Content-Length',
    ]);
    expect(framed.at(-1)).toBe('3');
    expect(requestHeaders(raw, { ...context, framing: { kind: 'chunked' } }).slice(-2)).toEqual([
      ...['Transfer-Encoding', 'chunked'],
    ]);
  });
});

describe('responseHeaders', () => {
  it('drops what Connection names, over several headers', () => {
    const raw = [
      'Connection',
      'x-a , close',
      'connection',
      'X-B',
      'X-A',
      '1',
      'x-b',
      '2',
      'X-C',
      '3',
    ];
    expect(responseHeaders(raw, 'r1')).toEqual(['X-C', '3', 'X-Request-Id', 'r1']);
  });

  it('drops a length beside a transfer coding, and keeps the app’s request id', () => {
    const raw = ['Transfer-Encoding', 'chunked', 'Content-Length', '3', 'X-Request-ID', 'theirs'];
    expect(responseHeaders(raw, 'r1')).toEqual(['X-Request-ID', 'theirs']);
  });
});

describe('trailersOf', () => {
  it('lets nothing through that changes framing, routing or identity', () => {
    const raw = [
      ...['X-Sum', '1', 'Content-Length', '9', 'Host', 'b', 'Transfer-Encoding', 'chunked'],
      ...['X-Forwarded-For', 'x', 'Cookie', 'a', 'Authorization', 'b', 'Server-Timing', 'c'],
    ];
    expect(trailersOf(raw)).toEqual([
      ['X-Sum', '1'],
      ['Server-Timing', 'c'],
    ]);
  });
});

describe('originOf', () => {
  const through = (remoteAddress: string, headers: Record<string, string>, ranges: string[]) =>
    originOf(
      { remoteAddress, hostHeader: 'a.test:81', header: (name) => headers[name] },
      new TrustedPeers(ranges),
    );

  it('believes nothing of a stranger', () => {
    const claimed = { 'x-forwarded-for': '1.1.1.1', 'x-forwarded-proto': 'https' };
    expect(through('203.0.113.9', claimed, ['10.0.0.0/8'])).toEqual({
      ...{ clientIp: '203.0.113.9', forwardedFor: '203.0.113.9', proto: 'http' },
      ...{ host: 'a.test:81', port: '81', trusted: false },
    });
  });

  it('takes the last hop that is not ours, over IPv6 too, and skips what is no address', () => {
    const claimed = { 'x-forwarded-for': 'unknown, 6.6.6.6, 2001:db8::7, fd00::2' };
    expect(through('fd00::1', claimed, ['fd00::/8'])).toMatchObject({
      clientIp: '2001:db8::7',
      forwardedFor: '6.6.6.6, 2001:db8::7, fd00::2, fd00::1',
      trusted: true,
    });
  });

  it('is the peer itself when the peer says nothing', () => {
    expect(through('10.1.1.1', {}, ['10.0.0.0/8'])).toMatchObject({
      ...{ clientIp: '10.1.1.1', proto: 'http', host: 'a.test:81', port: '81' },
    });
    const odd = { 'x-forwarded-proto': 'gopher', 'x-forwarded-port': '80; drop' };
    expect(through('10.1.1.1', odd, ['10.1.1.1'])).toMatchObject({ proto: 'http', port: '81' });
  });
});
