// Where a request comes from. What a peer says of earlier hops counts only when we trust the peer;
// everybody else's X-Forwarded-* is replaced.
import { BlockList, isIP } from 'node:net';
import { portOfHost } from '../domain/route-match.ts';

export interface ClientOrigin {
  readonly clientIp: string;
  readonly forwardedFor: string;
  readonly proto: 'http' | 'https';
  readonly host: string;
  readonly port: string;
  /** The peer is one of our own proxies. */
  readonly trusted: boolean;
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

export interface OriginQuestion {
  readonly remoteAddress: string | undefined;
  readonly hostHeader: string;
  readonly header: (name: string) => string | undefined;
}

export function originOf(question: OriginQuestion, peers: TrustedPeers): ClientOrigin {
  // An IPv4 client of a dual-stack socket.
  const peer = (question.remoteAddress ?? '').replace(/^::ffff:(?=\d+\.)/, '');
  const direct = {
    clientIp: peer,
    forwardedFor: peer,
    proto: 'http',
    host: question.hostHeader,
    port: String(portOfHost(question.hostHeader) ?? 80),
    trusted: false,
  } as const;
  return peers.has(peer) ? { ...direct, ...throughProxy(question, peer, peers) } : direct;
}

function throughProxy(
  { hostHeader, header }: OriginQuestion,
  peer: string,
  peers: TrustedPeers,
): Partial<ClientOrigin> {
  const hops = [...(header('x-forwarded-for') ?? '').split(','), peer]
    .map((hop) => hop.trim())
    .filter((hop) => isIP(hop) !== 0);
  const proto = header('x-forwarded-proto') === 'https' ? 'https' : 'http';
  const host = header('x-forwarded-host') ?? hostHeader;
  const port = /^\d{1,5}$/.exec(header('x-forwarded-port') ?? '')?.[0];
  return {
    // The last hop that is not ours: what stands left of it anybody may have written.
    clientIp: hops.findLast((hop) => !peers.has(hop)) ?? peer,
    forwardedFor: hops.join(', '),
    proto,
    host,
    port: port ?? String(portOfHost(host) ?? (proto === 'https' ? 443 : 80)),
    trusted: true,
  };
}
