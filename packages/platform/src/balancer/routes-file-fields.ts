// What may stand in the fields of a routes file, beyond their type. Each gives the value as the route
// table spells it, or a complaint that says what is needed.
import { isIP } from 'node:net';
import { domainToASCII } from 'node:url';
import type { Route, Upstream } from '../domain/route-table.ts';
import { formatSocketAddress, isPort, parseSocketAddress } from '../domain/socket-address.ts';

export type Field<T> = { readonly value: T } | { readonly complaint: string };

const HOST_LENGTH_MAX = 253;
const PATH_LENGTH_MAX = 1024;
const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;
/** RFC 3986 section 3.3: pchar and slashes. */
const PATH = /^(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/]|%[0-9A-Fa-f]{2})*$/;

const complain = (complaint: string): { readonly complaint: string } => ({ complaint });

export function readHost(text: string): Field<string> {
  const host = text.toLowerCase();
  if (isIpLiteral(host)) return { value: host };
  if (host.includes('/')) return complain(`a host name is needed, not the URL ${quote(text)}`);
  if (/:\d*$/.test(host))
    return complain(`a host name without a port is needed, not ${quote(text)}`);
  const name = host.startsWith('*.') ? host.slice(2) : host;
  if (name.length <= HOST_LENGTH_MAX && name.split('.').every((label) => LABEL.test(label)))
    return { value: host };
  return complain(`a host name or *.suffix is needed, not ${quote(text)}${hostAdvice(host)}`);
}

function isIpLiteral(host: string): boolean {
  return /^\[.*\]$/.test(host) ? isIP(host.slice(1, -1)) === 6 : isIP(host) === 4;
}

function hostAdvice(host: string): string {
  if (host.endsWith('.')) return '; leave out the dot at its end';
  if (host.includes('*')) return '; * stands for whole labels, and only at the beginning';
  const isAscii = /^[\x20-\x7e]*$/.test(host);
  const ascii = isAscii ? '' : domainToASCII(host);
  return ascii === '' ? '' : `; browsers send it as "${ascii}"`;
}

export type PathRule = Pick<Route, 'path' | 'isExact'>;

/** `/shop` means itself and what lies below it, so it is two rules; `/shop/` and `/` are one. */
export function readPath(text: string): Field<readonly PathRule[]> {
  if (!text.startsWith('/'))
    return complain(`a path that begins with / is needed, not ${quote(text)}`);
  if (text.length > PATH_LENGTH_MAX)
    return complain(`a path of at most ${PATH_LENGTH_MAX} characters is needed`);
  if (/[?#]/.test(text)) return complain(`a path without ? and # is needed, not ${quote(text)}`);
  if (!PATH.test(text))
    return complain(
      `a path as it stands in a URL is needed (other characters as %XX), not ${quote(text)}`,
    );
  if (/\/\.{0,2}\//.test(text) || /\/\.{1,2}$/.test(text))
    return complain(`a path without //, /./ and /../ is needed, not ${quote(text)}`);
  if (text.endsWith('/')) return { value: [{ path: text }] };
  return { value: [{ path: text, isExact: true }, { path: `${text}/` }] };
}

export function readUpstream(text: string): Field<Upstream> {
  const address = parseSocketAddress(text);
  if (!address)
    return complain(`ADDRESS:PORT is needed, not ${quote(text)}${upstreamAdvice(text)}`);
  if (!isPort(address.port, { zero: false }))
    return complain(`a port from 1 to 65535 is needed, not ${address.port} in ${quote(text)}`);
  const host = readUpstreamHost(address.host);
  if (host === undefined)
    return complain(`${quote(address.host)} in ${quote(text)} is neither an IP address nor a name`);
  const instanceId = formatSocketAddress({ host, port: address.port });
  return { value: { instanceId, address: host, port: address.port } };
}

function readUpstreamHost(text: string): string | undefined {
  const host = text.toLowerCase();
  if (isIP(host) !== 0) return host;
  // 127.0.0.256 and 10.1 are mistakes, though resolvers take some of them for addresses.
  const isNumbers = /^[\d.]+$/.test(host);
  const isName = host.length <= HOST_LENGTH_MAX && host.split('.').every((one) => LABEL.test(one));
  return isName && !isNumbers ? host : undefined;
}

function upstreamAdvice(text: string): string {
  if (/^https?:\/\//.test(text)) return '; leave out http://';
  if (text.startsWith('[')) return '; an IPv6 address is written [::1]:80';
  return text.split(':').length > 2 ? `; an IPv6 address is written [::1]:80` : '';
}

const QUOTE_LENGTH_MAX = 80;

export function quote(text: string): string {
  return JSON.stringify(
    text.length > QUOTE_LENGTH_MAX ? `${text.slice(0, QUOTE_LENGTH_MAX)}...` : text,
  );
}
