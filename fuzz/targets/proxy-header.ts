// The PROXY header: nobody waits for more than its end, and more never changes what it said.
import { isIP } from 'node:net';
import {
  PROXY_HEADER_BYTES_MAX,
  readProxyHeader,
} from '../../packages/platform/src/balancer/proxy-protocol.ts';
import { foundSeeds } from '../seeds.ts';
import { claim, type FuzzTarget, latin1 } from '../target.ts';

const SIGNATURE = '\r\n\r\n\0\r\nQUIT\n';
const ADDRESSES = '\xc0\x00\x02\x01\xc6\x33\x64\x02\xd9\x03\x01\xbb';

function run(input: Buffer): void {
  let before = 'incomplete';
  const whole = readProxyHeader(input);
  for (let length = 0; length <= input.length; length += 1) {
    const read = readProxyHeader(input.subarray(0, length));
    if (before === 'invalid') claim(read.kind === 'invalid', 'none, then one', length);
    if (before === 'header') claim(read.kind === 'header', 'one, then none', length);
    if (read.kind === 'header') {
      claim(read.end <= length && read.end <= PROXY_HEADER_BYTES_MAX, 'an end not seen', read);
      claim(before === 'header' || read.end === length, 'found late', read, length);
      claim(JSON.stringify(read) === JSON.stringify(whole), 'another header', read, whole);
    }
    before = read.kind;
  }
  if (whole.kind !== 'header') {
    const isShort = input.length < PROXY_HEADER_BYTES_MAX;
    return claim(whole.kind === 'invalid' || isShort, 'waits for more than the bound');
  }
  if (whole.source === undefined) return;
  const { ip, port } = whole.source;
  claim(isIP(ip) !== 0 && !ip.includes('%'), 'no address', ip);
  claim(Number.isInteger(port) && port >= 0 && port <= 0xffff, 'no port', port);
}

export const target: FuzzTarget = {
  name: 'proxy-header',
  seeds: [
    ...foundSeeds('proxy-header'),
    latin1(`${SIGNATURE}\x21\x11\x00\x0c${ADDRESSES}`),
    latin1(`${SIGNATURE}\x21\x21\x00\x24${ADDRESSES.repeat(3)}`),
    latin1(`${SIGNATURE}\x20\x00\x00\x00GET / HTTP/1.1\r\n`),
    latin1(`${SIGNATURE}\x21\x31\x00\x03abc`),
    latin1('PROXY TCP4 192.0.2.1 198.51.100.2 55555 443\r\n'),
    latin1('PROXY TCP6 2001:db8::1 ::1 55555 443\r\nGET /'),
    latin1('PROXY UNKNOWN\r\n'),
    latin1('PROXY UNKNOWN ::1 ::1 1 2\r\n'),
  ],
  words: [
    ...[
      SIGNATURE,
      'PROXY ',
      'TCP4',
      'TCP6',
      'UNKNOWN',
      'UDP4',
      '255.255.255.255',
      '::ffff:1.2.3.4',
    ],
    ...['\x21\x11', '\x20', '\x21\x21', '\x00\x0c', '\x00\x24', ' 65535 ', 'fe80::1%lo', '\r\n'],
  ],
  run,
};
