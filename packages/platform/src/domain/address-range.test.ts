import { describe, expect, it } from 'vitest';
import { clientKey, parseAddressRange, plainAddress } from './address-range.ts';

describe('an address range', () => {
  it.each([
    ['192.0.2.7', { address: '192.0.2.7', family: 'ipv4', prefixBits: 32 }],
    ['10.0.0.0/8', { address: '10.0.0.0', family: 'ipv4', prefixBits: 8 }],
    ['0.0.0.0/0', { address: '0.0.0.0', family: 'ipv4', prefixBits: 0 }],
    ['2001:db8::/32', { address: '2001:db8::', family: 'ipv6', prefixBits: 32 }],
    ['::1', { address: '::1', family: 'ipv6', prefixBits: 128 }],
  ])('%s', (text, range) => expect(parseAddressRange(text)).toEqual(range));

  it.each([
    ...['', 'a.test', '10.0.0.0/33', '10.0.0/8', '10.0.0.0/', '/8', '::/129', '10.0.0.0/-1'],
    ...['10.0.0.0/8/8', ' 10.0.0.1', '010.0.0.1', 'fe80::1%eth0', '[::1]', '10.0.0.1:80', '*'],
  ])('is not %j', (text) => expect(parseAddressRange(text)).toBeUndefined());
});

describe('the client of an address', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['2001:db8:0:1:aaaa::1', '2001:db8:0:1::/64'],
    ['2001:DB8:0:1::', '2001:db8:0:1::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['2001:0db8:0000:0000:1::', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['1::8', '1:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['64:ff9b::192.0.2.1', '64:ff9b:0:0::/64'],
  ])('%s is %s', (ip, key) => expect(clientKey(ip)).toBe(key));

  it('has no scope', () => expect(plainAddress('fe80::1%eth0')).toBe('fe80::1'));
});
