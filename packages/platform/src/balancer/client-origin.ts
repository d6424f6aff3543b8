// Where a request comes from. What a peer says of earlier hops counts only when we trust the peer;
// everybody else's X-Forwarded-* is replaced.
import { BlockList, isIP } from 'node:net';
import { fieldOf, type RequestHead } from './http1/request-head.ts';
import { normalizeHost, portOfHost } from '../domain/route-match.ts';

export interface ClientOrigin {
  readonly clientIp: string;
  readonly proto: 'http' | 'https';
  /** The peer is one of our own proxies. */
  readonly trusted: boolean;
  /** The authority of the request as the route table spells it; undefined when it is no host. */
  readonly host: string | undefined;
  /** What the app is told of it: field lines, each with its end of line. */
  readonly fields: string;
}

/** Addresses and CIDR ranges, of both families. */
export class TrustedPeers {
  readonly #list = new BlockList();

  constructor(ranges: readonly string[]) {
    for (const range of ranges) {
      const [address = '', prefix] = range.split('/');
      const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
      this.#list.addSubnet(address, Number(prefix ?? (family === 'ipv6' ? 128 : 32)), family);
    }
  }

  has(ip: string): boolean {
    const family = isIP(ip);
    return family !== 0 && this.#list.check(ip, family === 6 ? 'ipv6' : 'ipv4');
  }
}

/** For those of whom nothing that they say of others is believed. */
export const NOBODY = new TrustedPeers([]);

/** Of an IPv4 client of a dual-stack socket, too, its IPv4 address. */
export const plainAddress = (address: string | undefined): string =>
  (address ?? '').replace(/^::ffff:(?=\d+\.)/, '');

/** One end of a client connection: what all its requests have in common is found out once. */
export class Peer {
  readonly ip: string;
  readonly isTrusted: boolean;
  readonly #proto: 'http' | 'https';
  readonly #peers: TrustedPeers;
  #lastAuthority = '';
  #last: ClientOrigin | undefined;

  constructor(
    remoteAddress: string | undefined,
    { peers, isTls }: { readonly peers: TrustedPeers; readonly isTls: boolean },
  ) {
    this.ip = plainAddress(remoteAddress);
    this.isTrusted = peers.has(this.ip);
    this.#peers = peers;
    this.#proto = isTls ? 'https' : 'http';
  }

  originOf(head: RequestHead): ClientOrigin {
    const { authority } = head;
    if (this.isTrusted) return this.#throughProxy(authority, (name) => fieldOf(head, name));
    if (this.#last !== undefined && this.#lastAuthority === authority) return this.#last;
    this.#lastAuthority = authority;
    this.#last = origin({
      ...{ clientIp: this.ip, forwardedFor: this.ip, proto: this.#proto, trusted: false },
      ...{ authority, host: authority, port: undefined },
    });
    return this.#last;
  }

  #throughProxy(authority: string, header: (name: string) => string | undefined): ClientOrigin {
    const hops = [...(header('x-forwarded-for') ?? '').split(','), this.ip]
      .map((hop) => hop.trim())
      .filter((hop) => isIP(hop) !== 0);
    return origin({
      authority,
      // The last hop that is not ours: what stands left of it anybody may have written.
      clientIp: hops.findLast((hop) => !this.#peers.has(hop)) ?? this.ip,
      forwardedFor: hops.join(', '),
      proto: header('x-forwarded-proto') === 'https' ? 'https' : 'http',
      host: header('x-forwarded-host') ?? authority,
      port: /^\d{1,5}$/.exec(header('x-forwarded-port') ?? '')?.[0],
      trusted: true,
    });
  }
}

interface Forwarded {
  readonly authority: string;
  readonly clientIp: string;
  readonly forwardedFor: string;
  readonly proto: 'http' | 'https';
  readonly host: string;
  readonly port: string | undefined;
  readonly trusted: boolean;
}

function origin({ authority, host, proto, port, ...rest }: Forwarded): ClientOrigin {
  const portText = port ?? String(portOfHost(host) ?? (proto === 'https' ? 443 : 80));
  return {
    ...{ clientIp: rest.clientIp, proto, trusted: rest.trusted },
    host: normalizeHost(authority),
    fields:
      `X-Forwarded-For: ${rest.forwardedFor}\r\n` +
      `X-Forwarded-Proto: ${proto}\r\nX-Forwarded-Protocol: ${proto}\r\n` +
      `X-Forwarded-Host: ${host}\r\nX-Forwarded-Port: ${portText}\r\n`,
  };
}
