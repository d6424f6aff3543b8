import { describe, expect, it } from 'vitest';
import { PROXY_HEADER_BYTES_MAX, type ProxyHeader, readProxyHeader } from './proxy-protocol.ts';

const SIGNATURE = '0d0a0d0a000d0a515549540a';
const TCP4 = `${SIGNATURE}21 11 000c c0000201 c6336402 d903 01bb`;
const TCP6_ADDRESSES = `20010db8000000000000000000000001 20010db8000000000000000000000002 d903 01bb`;
const TCP6 = `${SIGNATURE}21 21 0024 ${TCP6_ADDRESSES}`;

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');
const word = (value: number): string => value.toString(16).padStart(4, '0');

/** All of `bytes` is the header, and no less. */
function whole(bytes: Buffer): ProxyHeader['source'] {
  for (let length = 0; length < bytes.length; length += 1)
    expect(readProxyHeader(bytes.subarray(0, length)).kind, `${length}`).toBe('incomplete');
  const more = Buffer.concat([bytes, Buffer.from('GET / HTTP/1.1\r\n\r\n')]);
  for (const read of [bytes, more].map(readProxyHeader)) {
    expect(read).toMatchObject({ kind: 'header', end: bytes.length });
    if (read.kind === 'header') return read.source;
  }
  return undefined;
}

/** Known to be none with its last byte, not before. */
function invalidAtLast(bytes: Buffer): void {
  expect(readProxyHeader(bytes.subarray(0, -1)).kind).toBe('incomplete');
  expect(readProxyHeader(bytes).kind).toBe('invalid');
}

describe('a PROXY header of version 2', () => {
  it('names an IPv4 client', () =>
    expect(whole(hex(TCP4))).toEqual({ ip: '192.0.2.1', port: 0xd903 }));

  it('names an IPv6 client, spelt in one way', () =>
    expect(whole(hex(TCP6))).toEqual({ ip: '2001:db8::1', port: 0xd903 }));

  it('names an IPv4 client of a dual-stack socket', () => {
    const mapped = `${'0'.repeat(20)}ffffc0000201`;
    expect(whole(hex(`${SIGNATURE}21 21 0024 ${mapped}${mapped} 0001 0002`))).toEqual({
      ...{ ip: '::ffff:192.0.2.1', port: 1 },
    });
  });

  it.each([
    ['LOCAL', '20 00 0000'],
    ['LOCAL with addresses that mean nothing', '20 11 000c c0000201 c6336402 d903 01bb'],
    ['LOCAL with a family that is unknown', '20 ff 0002 abcd'],
    ['LOCAL with fewer bytes than its family has', '20 21 0001 00'],
    ['nobody that it knows', '21 00 0000'],
    ['nobody, at length', '21 00 0003 aabbcc'],
    ['UDP over IPv4', '21 12 000c c0000201 c6336402 d903 01bb'],
    ['UDP over IPv6', `21 22 0024 ${TCP6_ADDRESSES}`],
    ['a Unix socket', `21 31 00d8 ${'00'.repeat(216)}`],
    ['datagrams of a Unix socket', `21 32 00d8 ${'00'.repeat(216)}`],
  ])('names nobody for %s', (_, text) => expect(whole(hex(`${SIGNATURE}${text}`))).toBe(undefined));

  it('may be longer than its addresses', () => {
    const authority = '02 0006 612e74657374';
    expect(
      whole(hex(`${SIGNATURE}21 11 0015 c0000201 c6336402 d903 01bb ${authority}`)),
    ).toMatchObject({ ip: '192.0.2.1' });
    const most = PROXY_HEADER_BYTES_MAX - 16;
    expect(whole(hex(`${SIGNATURE}20 00 ${word(most)} ${'ff'.repeat(most)}`))).toBe(undefined);
  });

  it.each([
    ...['01', '10', '11', '1f', '22', '2f', '30', '31', '00', 'ff'].map((octet) => [
      `version and command ${octet}`,
      octet,
    ]),
    ...['01', '02', '10', '13', '20', '23', '30', '33', '40', '41', 'ff'].map((octet) => [
      `family and protocol ${octet}`,
      `21 ${octet}`,
    ]),
    ['11 bytes for IPv4', '21 11 000b'],
    ['no bytes for IPv4', '21 11 0000'],
    ['35 bytes for IPv6', '21 21 0023'],
    ['more than the bound', `21 11 ${word(PROXY_HEADER_BYTES_MAX - 15)}`],
    ['the most that a length can be', '20 00 ffff'],
  ])('has not %s', (_, text) => invalidAtLast(hex(`${SIGNATURE}${text}`)));

  it('is known to be none from the first byte that is wrong', () => {
    const signature = hex(SIGNATURE);
    for (let index = 0; index < signature.length; index += 1)
      for (let octet = 0; octet < 256; octet += 1) {
        if (octet === signature[index] || (index === 0 && octet === 0x50)) continue;
        const wrong = Buffer.from(signature.subarray(0, index + 1));
        wrong[index] = octet;
        expect(readProxyHeader(wrong).kind, `${index} ${octet}`).toBe('invalid');
      }
  });
});

describe('a PROXY header of version 1', () => {
  const line = (text: string): Buffer => Buffer.from(`PROXY ${text}\r\n`, 'latin1');

  it.each([
    ['TCP4 192.0.2.1 198.51.100.2 55555 443', { ip: '192.0.2.1', port: 55_555 }],
    ['TCP4 0.0.0.0 255.255.255.255 0 65535', { ip: '0.0.0.0', port: 0 }],
    ['TCP6 2001:db8::1 ::1 55555 443', { ip: '2001:db8::1', port: 55_555 }],
    ['TCP6 2001:0DB8:0:0:0:0:0:1 ::1 1 2', { ip: '2001:db8::1', port: 1 }],
    ['UNKNOWN', undefined],
    ['UNKNOWN ffff:f...f:ffff 1 2 anything', undefined],
  ])('%s', (text, source) => expect(whole(line(text))).toEqual(source));

  it('has 107 bytes at most', () => {
    const most = `UNKNOWN ${'x'.repeat(107 - 16)}`;
    expect(whole(line(most))).toBe(undefined);
    expect(readProxyHeader(line(`${most}x`)).kind).toBe('invalid');
    expect(readProxyHeader(Buffer.from(`PROXY ${'x'.repeat(101)}`)).kind).toBe('invalid');
  });

  it.each([
    ...[
      '',
      'TCP4',
      'tcp4 1.2.3.4 1.2.3.4 1 2',
      'TCP5 1.2.3.4 1.2.3.4 1 2',
      'UDP4 1.2.3.4 1.2.3.4 1 2',
    ],
    ...['TCP4 1.2.3.4 1.2.3.4 1', 'TCP4 1.2.3.4 1.2.3.4 1 2 3', 'TCP4  1.2.3.4 1.2.3.4 1 2'],
    ...['TCP4 1.2.3.4 1.2.3.4 1 2 ', 'TCP4 1.2.3.4 1.2.3.4 01 2', 'TCP4 1.2.3.4 1.2.3.4 1 65536'],
    ...['TCP4 1.2.3.4 1.2.3.4 -1 2', 'TCP4 1.2.3.4 1.2.3.4 +1 2', 'TCP4 1.2.3.4 1.2.3.4 1 2e1'],
    ...['TCP4 1.2.3 1.2.3.4 1 2', 'TCP4 01.2.3.4 1.2.3.4 1 2', 'TCP4 1.2.3.4 1.2.3.256 1 2'],
    ...[
      'TCP4 ::1 ::1 1 2',
      'TCP6 1.2.3.4 1.2.3.4 1 2',
      'TCP6 fe80::1%lo ::1 1 2',
      'TCP6 ::1 g 1 2',
    ],
    ...['TCP4\t1.2.3.4 1.2.3.4 1 2', 'TCP4 1.2.3.4 1.2.3.4 1 2\0', 'UNKNOWNX', 'UNKNOWN\n'],
    ...['UNKNOWN \0', 'UNKNOWN %', 'UNKNOWN \r'],
  ])('is not %j', (text) => expect(readProxyHeader(line(text)).kind).toBe('invalid'));

  it.each(['PROXY TCP4 1.2.3.4\n', 'PROXY TCP4 \0', 'PROXY\t', 'proxy ', 'PROXY \r\r', 'GET'])(
    'does not begin with %j',
    (text) => expect(readProxyHeader(Buffer.from(text)).kind).toBe('invalid'),
  );
});
