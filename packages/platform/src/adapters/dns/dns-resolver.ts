// Looks names up in the DNS, past /etc/hosts, at the servers of the machine or at given ones.
import { Resolver } from 'node:dns/promises';
import { BlockList } from 'node:net';
import { networkInterfaces } from 'node:os';
import { LIMITS } from '../../domain/limits.ts';
import type { NameResolver } from '../../ports/name-resolver.ts';

export interface DnsOptions {
  /** `ADDRESS:PORT`; default: those of the machine. */
  readonly servers?: readonly string[];
  /** Where the world reaches this machine, when its interfaces do not show it. */
  readonly publicAddresses?: readonly string[];
}

const TRIES = 2;

export function createDnsResolver(options: DnsOptions = {}): NameResolver {
  return {
    addresses: (host, signal) => lookUp(options, host, signal),
    ownAddresses: () => ownAddresses(options.publicAddresses ?? []),
  };
}

async function lookUp(options: DnsOptions, host: string, signal: AbortSignal): Promise<string[]> {
  // One for each look-up: cancelling ends every question of a resolver.
  const resolver = new Resolver({ timeout: LIMITS.certificates.lookupTimeoutMs, tries: TRIES });
  if (options.servers) resolver.setServers(options.servers);
  const cancel = (): void => resolver.cancel();
  signal.addEventListener('abort', cancel, { once: true });
  try {
    const families = [resolver.resolve4(host), resolver.resolve6(host)];
    return (await Promise.all(families.map(noneWhenAbsent))).flat();
  } finally {
    signal.removeEventListener('abort', cancel);
    signal.throwIfAborted();
  }
}

async function noneWhenAbsent(answer: Promise<string[]>): Promise<string[]> {
  try {
    return await answer;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOTFOUND' || code === 'ENODATA') return [];
    throw error;
  }
}

/** Behind a translation no interface has the address that the DNS must name. */
function ownAddresses(configured: readonly string[]): readonly string[] | undefined {
  if (configured.length > 0) return configured;
  const all = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ address, family }) => isPublic(address, family));
  return all.length === 0 ? undefined : all.map(({ address }) => address);
}

const LOCAL = new BlockList();
for (const [net, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
] as const)
  LOCAL.addSubnet(net, prefix, 'ipv4');
for (const [net, prefix] of [
  ['::', 127],
  ['fc00::', 7],
  ['fe80::', 10],
] as const)
  LOCAL.addSubnet(net, prefix, 'ipv6');

function isPublic(address: string, family: 'IPv4' | 'IPv6'): boolean {
  return !LOCAL.check(address, family === 'IPv4' ? 'ipv4' : 'ipv6');
}
