// The header that a proxy writes before all else, to say on whose behalf it connects: the PROXY
// protocol, versions 1 and 2 (haproxy.org/download/3.0/doc/proxy-protocol.txt). Pure and strict: what
// is not such a header from its first byte on is none.
import { isIPv4, isIPv6, SocketAddress } from 'node:net';

export interface ProxySource {
  readonly ip: string;
  readonly port: number;
}

export interface ProxyHeader {
  readonly kind: 'header';
  /** Position behind it. */
  readonly end: number;
  /** Undefined: the proxy speaks for itself, or does not know for whom. */
  readonly source: ProxySource | undefined;
}

export type ProxyHeaderReading =
  ProxyHeader | { readonly kind: 'incomplete' } | { readonly kind: 'invalid' };

/** Of version 2, with its TLVs; the longest that are known stay well below. */
export const PROXY_HEADER_BYTES_MAX = 4_096;

const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const VERSION_1 = Buffer.from('PROXY ', 'latin1');
const LINE_BYTES_MAX = 107;
const FIXED_BYTES = SIGNATURE.length + 4;
const Command = { local: 0x20, proxy: 0x21 } as const;
const TCP4 = 0x11;
const TCP6 = 0x21;
/**
 * By family and protocol: bytes of addresses and ports. Of UDP and Unix sockets, as of what the proxy
 * does not know, nothing is read (section 2.2).
 */
const ADDRESS_BYTES: ReadonlyMap<number, number> = new Map([
  [TCP4, 12],
  [TCP6, 36],
  ...[0x00, 0x12, 0x22, 0x31, 0x32].map((unread): [number, number] => [unread, 0]),
]);

const INCOMPLETE: ProxyHeaderReading = { kind: 'incomplete' };
const INVALID: ProxyHeaderReading = { kind: 'invalid' };

/** `bytes`: all that came so far on the connection. */
export function readProxyHeader(bytes: Buffer): ProxyHeaderReading {
  if (begins(bytes, SIGNATURE)) return readVersion2(bytes);
  return begins(bytes, VERSION_1) ? readVersion1(bytes) : INVALID;
}

/** As far as there are bytes. */
function begins(bytes: Buffer, expected: Buffer): boolean {
  const length = Math.min(bytes.length, expected.length);
  return bytes.subarray(0, length).equals(expected.subarray(0, length));
}

/** Each byte is judged when it comes, so that nobody waits for the rest of what is none. */
function readVersion2(bytes: Buffer): ProxyHeaderReading {
  const command = bytes[SIGNATURE.length];
  const protocol = bytes[SIGNATURE.length + 1];
  if (command === undefined) return INCOMPLETE;
  if (command !== Command.local && command !== Command.proxy) return INVALID;
  if (protocol === undefined) return INCOMPLETE;
  // LOCAL says nothing of addresses, whatever stands there.
  const addressBytes = command === Command.local ? 0 : ADDRESS_BYTES.get(protocol);
  if (addressBytes === undefined) return INVALID;
  if (bytes.length < FIXED_BYTES) return INCOMPLETE;
  const end = FIXED_BYTES + bytes.readUInt16BE(FIXED_BYTES - 2);
  if (end > PROXY_HEADER_BYTES_MAX || end < FIXED_BYTES + addressBytes) return INVALID;
  // What follows the addresses is for others.
  if (bytes.length < end) return INCOMPLETE;
  return {
    kind: 'header',
    end,
    source: addressBytes === 0 ? undefined : sourceOf(bytes, protocol),
  };
}

function sourceOf(bytes: Buffer, protocol: number): ProxySource {
  if (protocol === TCP4) {
    const ip = bytes.subarray(FIXED_BYTES, FIXED_BYTES + 4).join('.');
    return { ip, port: bytes.readUInt16BE(FIXED_BYTES + 8) };
  }
  const groups = Array.from({ length: 8 }, (_, index) => {
    return bytes.readUInt16BE(FIXED_BYTES + 2 * index).toString(16);
  });
  return { ip: shortest(groups.join(':')), port: bytes.readUInt16BE(FIXED_BYTES + 32) };
}

function readVersion1(bytes: Buffer): ProxyHeaderReading {
  const text = bytes.toString('latin1', 0, LINE_BYTES_MAX);
  const lineEnd = text.search(/\r\n|[^0-9A-Za-z:. \r]|\r[^\n]/);
  if (lineEnd < 0) return bytes.length < LINE_BYTES_MAX ? INCOMPLETE : INVALID;
  if (!text.startsWith('\r\n', lineEnd)) return INVALID;
  const [, family, ...words] = text.slice(0, lineEnd).split(' ');
  const end = lineEnd + 2;
  if (family === 'UNKNOWN') return { kind: 'header', end, source: undefined };
  const [ip = '', toIp = '', port = '', toPort = ''] = words;
  const isAddress = family === 'TCP4' ? isIPv4 : family === 'TCP6' ? isPlainIPv6 : () => false;
  const isWhole = words.length === 4 && isAddress(ip) && isAddress(toIp);
  if (!isWhole || !isPortText(port) || !isPortText(toPort)) return INVALID;
  return {
    ...{ kind: 'header', end },
    source: { ip: family === 'TCP6' ? shortest(ip) : ip, port: Number(port) },
  };
}

/** Without the name of an interface. */
const isPlainIPv6 = (text: string): boolean => isIPv6(text) && !text.includes('%');

const isPortText = (text: string): boolean =>
  /^(?:0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 0xffff;

/** One spelling for one address (RFC 5952). */
const shortest = (address: string): string =>
  new SocketAddress({ address, family: 'ipv6' }).address;
