// `192.0.2.7` and `2001:db8::/32` as people write them, and the unit in which clients are counted.
import { isIP } from 'node:net';

export interface AddressRange {
  readonly address: string;
  readonly family: 'ipv4' | 'ipv6';
  readonly prefixBits: number;
}

const BITS = { ipv4: 32, ipv6: 128 } as const;
/** What one customer of an access provider has at least. */
const CLIENT_PREFIX_GROUPS = 4;

/** Undefined when it is neither an address nor a range. */
export function parseAddressRange(text: string): AddressRange | undefined {
  const [, address = '', prefix] = /^([0-9A-Fa-f:.]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const version = isIP(address);
  if (version === 0) return undefined;
  const family = version === 6 ? 'ipv6' : 'ipv4';
  const prefixBits = prefix === undefined ? BITS[family] : Number(prefix);
  return prefixBits <= BITS[family] ? { address, family, prefixBits } : undefined;
}

/** The IPv4 address that an IPv6 address carries is meant; a scope says nothing of who it is. */
export function plainAddress(ip: string): string {
  const scope = ip.indexOf('%');
  const address = scope < 0 ? ip : ip.slice(0, scope);
  return address.replace(/^::ffff:(?=\d+\.)/i, '');
}

/** One client: an IPv4 address, or the /64 of an IPv6 one, of which a client has as many as it likes. */
export function clientKey(ip: string): string {
  const address = plainAddress(ip);
  return address.includes(':') ? `${firstGroups(address)}::/64` : address;
}

function firstGroups(address: string): string {
  const [head = '', tail] = address.toLowerCase().split('::');
  const before = groupsOf(head);
  const after = tail === undefined ? [] : groupsOf(tail);
  const zeros = Math.max(0, 8 - before.length - after.length);
  return [...before, ...Array.from({ length: zeros }, () => '0'), ...after]
    .slice(0, CLIENT_PREFIX_GROUPS)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':');
}

/** A dotted end counts as two. */
const groupsOf = (text: string): string[] =>
  text === ''
    ? []
    : text.split(':').flatMap((group) => (group.includes('.') ? ['0', '0'] : [group]));
