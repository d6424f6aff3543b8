import { describe, expect, it } from 'vitest';
import { formatSocketAddress, isPort, parseSocketAddress } from './socket-address.ts';

describe('an address with a port', () => {
  it.each([
    ['127.0.0.1:80', { host: '127.0.0.1', port: 80 }],
    ['[::1]:8080', { host: '::1', port: 8080 }],
    ['[::ffff:10.0.0.1]:1', { host: '::ffff:10.0.0.1', port: 1 }],
    ['localhost:0', { host: 'localhost', port: 0 }],
  ])('is read and written: %s', (text, address) => {
    expect(parseSocketAddress(text)).toEqual(address);
    expect(formatSocketAddress(address)).toBe(text);
  });

  it.each([
    '',
    ':',
    ':80',
    '80',
    'a',
    'a:',
    'a:b',
    '::1:80',
    '[::1]',
    '[a]:80',
    'a b:80',
    'a/b:80',
  ])('is nothing else: %j', (text) => expect(parseSocketAddress(text)).toBeUndefined());

  it('has a port in range', () => {
    expect([0, 1, 65_535, 65_536].map((port) => isPort(port, { zero: false }))).toEqual([
      ...[false, true, true, false],
    ]);
    expect(isPort(0, { zero: true })).toBe(true);
  });
});
