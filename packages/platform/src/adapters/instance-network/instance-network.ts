// Network of instances: a namespace each, joined to the host by a veth pair without a bridge. The
// host routes one address per family to each pair and is the gateway of all; nobody shares a link,
// so nobody can answer for another. What may pass is in ruleset.ts.
import { readdir } from 'node:fs/promises';
import { TandemError } from '@tandem/protocol';
import {
  gatewayIpv4,
  gatewayIpv6,
  interfacePrefix,
  ipv4Range,
  ipv6Range,
  type Installation,
} from '../../domain/installation.ts';
import { runCommand, runToExit } from '../../lib/run-command.ts';
import type { SandboxNetwork } from '../../ports/sandbox.ts';
import { disableForwarding, enableForwarding } from './forwarding.ts';
import { instanceName, NAMESPACE_DIRECTORY } from './names.ts';
import { linkElements, removal, ruleset } from './ruleset.ts';

const TIMEOUT_MS = 10_000;
/** Of the host on every pair; the same everywhere, because no two pairs share a link. */
const HOST_LINK_LOCAL = 'fe80::1';
const INSTANCE_LINK_LOCAL = 'fe80::2';

export interface InstanceNetworkOptions {
  readonly installation: Installation;
  /** Private ranges that instances may reach all the same. */
  readonly allowedRanges?: readonly string[];
}

export interface InstanceNetwork {
  /** Gateway addresses, forwarding, firewall. Idempotent; at every start of the agent. */
  ensureNetwork(): Promise<void>;
  /** Takes all of it back, and every namespace. */
  removeNetwork(): Promise<void>;
  /** Resolves to the path of a new namespace, which is not connected to anything yet. */
  createNamespace(network: SandboxNetwork): Promise<string>;
  /** Gives the namespace its addresses, routes and links; before the first process runs in it. */
  connect(network: SandboxNetwork): Promise<void>;
  detach(network: SandboxNetwork): Promise<void>;
  /** Removes namespaces of addresses that `isUsed` denies. */
  sweep(usedIpv6: ReadonlySet<string>): Promise<string[]>;
}

export function createInstanceNetwork(options: InstanceNetworkOptions): InstanceNetwork {
  const { installation, allowedRanges } = options;
  return {
    ensureNetwork: () => asNetworkError(ensure(installation, allowedRanges)),
    removeNetwork: () => asNetworkError(remove(installation)),
    createNamespace: (network) => asNetworkError(createNamespace(installation, network)),
    connect: (network) => asNetworkError(connect(installation, network)),
    detach: (network) => asNetworkError(detach(installation, network)),
    sweep: (usedIpv6) => asNetworkError(sweep(installation, usedIpv6)),
  };
}

async function ensure(
  installation: Installation,
  allowedRanges: readonly string[] | undefined,
): Promise<void> {
  await enableForwarding(installation.id, await advertisedUplinks());
  await runIp(
    [],
    [
      // On loopback: addresses of the host that no cable can take away.
      `addr replace ${gatewayIpv4(installation.slot)}/32 dev lo`,
      `addr replace ${gatewayIpv6(installation.ipv6Prefix)}/128 dev lo nodad`,
      // An instance that is gone: without these, its visitors would be sent to the default route.
      ...rangesOf(installation).map((range) => `route replace unreachable ${range}`),
    ],
  );
  await runNft(ruleset(installation, allowedRanges));
}

async function remove(installation: Installation): Promise<void> {
  await sweep(installation, new Set());
  await runNft(removal(installation));
  await runIp(
    ['-force'],
    [
      `addr del ${gatewayIpv4(installation.slot)}/32 dev lo`,
      `addr del ${gatewayIpv6(installation.ipv6Prefix)}/128 dev lo`,
      ...rangesOf(installation).map((range) => `route del unreachable ${range}`),
    ],
  );
  await disableForwarding(installation.id);
}

function rangesOf({ slot, ipv6Prefix }: Installation): string[] {
  return [ipv4Range(slot), ipv6Range(ipv6Prefix)];
}

async function createNamespace(
  installation: Installation,
  network: SandboxNetwork,
): Promise<string> {
  const name = instanceName(installation, network.ipv6);
  await runIp([], [`netns add ${name}`]);
  return `${NAMESPACE_DIRECTORY}/${name}`;
}

async function connect(installation: Installation, network: SandboxNetwork): Promise<void> {
  const name = instanceName(installation, network.ipv6);
  const { ipv4, ipv6 } = network;
  await runIp(
    [],
    [
      `link add ${name} type veth peer name eth0 netns ${name}`,
      // No automatic link-local address: it would be checked for duplicates for 1.8 s.
      `link set ${name} addrgenmode none`,
      `addr add ${HOST_LINK_LOCAL}/64 dev ${name} nodad`,
      `link set ${name} up`,
      `route replace ${ipv4}/32 dev ${name}`,
      `route replace ${ipv6}/128 dev ${name}`,
    ],
  );
  const inside = runIp(
    ['-netns', name],
    [
      'link set lo up',
      'link set eth0 addrgenmode none',
      `addr add ${ipv4}/32 dev eth0`,
      `addr add ${INSTANCE_LINK_LOCAL}/64 dev eth0 nodad`,
      `addr add ${ipv6}/128 dev eth0 nodad`,
      'link set eth0 up',
      `route add default via ${gatewayIpv4(installation.slot)} dev eth0 onlink`,
      `route add default via ${HOST_LINK_LOCAL} dev eth0 src ${ipv6}`,
    ],
  );
  const linked =
    network.links.length > 0 ? runNft(linkElements('add', installation, network)) : undefined;
  await Promise.all([inside, linked]);
}

async function detach(installation: Installation, network: SandboxNetwork): Promise<void> {
  if (network.links.length > 0) {
    // Added first, because deleting an element that is not there fails.
    const elements = (['add', 'delete'] as const).map((verb) =>
      linkElements(verb, installation, network),
    );
    await runNft(elements.join(''));
  }
  await removeNamespace(instanceName(installation, network.ipv6));
}

async function sweep(installation: Installation, usedIpv6: ReadonlySet<string>): Promise<string[]> {
  const used = new Set([...usedIpv6].map((ipv6) => instanceName(installation, ipv6)));
  const prefix = interfacePrefix(installation.slot);
  const [namespaces, interfaces] = await Promise.all([
    readdir(NAMESPACE_DIRECTORY).catch((): string[] => []),
    readdir('/sys/class/net'),
  ]);
  const names = new Set([...namespaces, ...interfaces].filter((name) => name.startsWith(prefix)));
  const unused = [...names].filter((name) => !used.has(name));
  for (const name of unused) await removeNamespace(name);
  return unused;
}

/** No error when either is not there. */
async function removeNamespace(name: string): Promise<void> {
  await runIp(['-force'], [`link del ${name}`, `netns del ${name}`]);
  const left = await readdir(NAMESPACE_DIRECTORY).catch((): string[] => []);
  if (left.includes(name)) throw new Error(`network namespace ${name} cannot be removed`);
}

/** Interfaces with an IPv6 default route from router advertisements. */
async function advertisedUplinks(): Promise<string[]> {
  const argv = ['ip', '-json', '-6', 'route', 'show', 'default', 'proto', 'ra'] as const;
  const { stdout } = await runCommand([...argv], { timeoutMs: TIMEOUT_MS });
  const routes = JSON.parse(stdout || '[]') as { dev?: string }[];
  return [...new Set(routes.flatMap((route) => (route.dev === undefined ? [] : [route.dev])))];
}

/** One process for many changes. With `-force` it goes on after a failure, and any is accepted. */
async function runIp(options: readonly string[], commands: readonly string[]): Promise<void> {
  const argv = ['ip', ...options, '-batch', '-'] as const;
  const input = `${commands.join('\n')}\n`;
  const run = options.includes('-force') ? runToExit : runCommand;
  await run([...argv], { timeoutMs: TIMEOUT_MS, input });
}

async function runNft(script: string): Promise<void> {
  // As an argument: nft 1.0.9 (Ubuntu 24.04) takes no socket for its input, which is what Node gives.
  await runCommand(['nft', script], { timeoutMs: TIMEOUT_MS });
}

async function asNetworkError<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof TandemError) throw error;
    const message = error instanceof Error ? error.message : String(error);
    throw new TandemError('NETWORK_FAILED', message, { cause: error, hint: 'tandem doctor' });
  }
}
