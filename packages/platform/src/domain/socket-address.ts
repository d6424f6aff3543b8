// `ADDRESS:PORT` as people write it: an IPv6 address stands in brackets.
import { isIPv6 } from 'node:net';

export interface SocketAddress {
  /** An IP address or a name, without brackets. */
  readonly host: string;
  readonly port: number;
}

const PORT_MAX = 65_535;

/** Undefined when it has another form; a port out of range is returned as it is. */
export function parseSocketAddress(text: string): SocketAddress | undefined {
  const match = /^(?:\[([^[\]]+)\]|([^:\s[\]/]+)):(\d{1,9})$/.exec(text);
  if (!match) return undefined;
  const [, bracketed, plain, port] = match;
  if (bracketed !== undefined && !isIPv6(bracketed)) return undefined;
  return { host: bracketed ?? plain ?? '', port: Number(port) };
}

export function formatSocketAddress({ host, port }: SocketAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Port 0 means any free port, where one can listen. */
export function isPort(port: number, { zero }: { readonly zero: boolean }): boolean {
  return port >= (zero ? 0 : 1) && port <= PORT_MAX;
}
