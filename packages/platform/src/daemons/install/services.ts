// The daemons of an installation, in the order of their start. Data: the same list could become
// systemd units with socket activation and KillMode=process.
import type { HeldSocket, Service } from '../../adapters/s6/service.ts';
import { dnsmasqCommand } from '../../adapters/instance-network/dnsmasq-command.ts';
import { listeningSocket } from '../../adapters/s6/listening-socket.ts';
import { PLATFORM_UID, platformUid, type Installation } from '../../domain/installation.ts';
import { controlSocket, staticSocket, superviseDirectory, type Paths } from '../../ports/paths.ts';
import { certificateArguments } from '../certificate-options.ts';
import { balancerName, daemonFile, type Checkout } from './machine.ts';
import type { SandboxKind } from './options.ts';

export interface ServiceInputs {
  readonly installation: Installation;
  readonly paths: Paths;
  readonly roots: { readonly data: string; readonly run: string };
  readonly sandbox: SandboxKind;
  readonly checkout: Checkout;
  readonly balancers: number;
  /** Argv of the static server, its configuration already written. */
  readonly staticServer: readonly [string, ...string[]];
}

/**
 * The agent waits for child processes: size counts, not speed (16 MiB less when idle). It also
 * decides how long each spawn takes: docs/adr/0008.
 */
export const SMALL_NODE = ['--optimize-for-size', '--max-semi-space-size=1'] as const;
/** One arena for the few threads of Node, so that memory freed by one serves the others. */
const ONE_ARENA = { MALLOC_ARENA_MAX: '1' } as const;
/** Buffers go back to the kernel when they are freed, not into holes of a heap that stays large. */
export const SMALL_MALLOC = {
  ...ONE_ARENA,
  MALLOC_MMAP_THRESHOLD_: '32768',
  MALLOC_TRIM_THRESHOLD_: '131072',
} as const;

/** Ends what the balancer has under way; long-lived connections are cut after it. */
const BALANCER_GRACE_MS = 40_000;
/** The first start takes in stacks and interpreters and makes the database cluster. */
const AGENT_READY_TIMEOUT_MS = 180_000;
/** A TERM ends the agent only: instances live on and are adopted by the next one. */
const AGENT_GRACE_MS = 15_000;

export function servicesOf(inputs: ServiceInputs): Service[] {
  return [
    ...(inputs.sandbox === 'crun' ? [dns(inputs)] : []),
    staticServer(inputs),
    agent(inputs),
    ...Array.from({ length: inputs.balancers }, (_, index) => balancer(inputs, index)),
  ];
}

/** For plain HTTP, then for TLS if it is spoken. */
export function socketsOf({
  paths,
  installation: { httpPort, httpsPort },
}: Pick<ServiceInputs, 'paths' | 'installation'>): [HeldSocket, ...HeldSocket[]] {
  const directory = superviseDirectory(paths);
  const http = listeningSocket(directory, 'http', httpPort);
  return httpsPort === undefined ? [http] : [http, listeningSocket(directory, 'https', httpsPort)];
}

function dns({ installation }: ServiceInputs): Service {
  return {
    name: 'dns',
    argv: dnsmasqCommand(installation),
    dependsOn: [],
    ready: { kind: 'running' },
    stop: { signal: 'SIGTERM', graceMs: 3_000 },
  };
}

function staticServer({ staticServer: argv, paths }: ServiceInputs): Service {
  return {
    name: 'static',
    argv,
    dependsOn: [],
    ready: { kind: 'unix-socket', path: staticSocket(paths) },
    // nginx: finish what is under way.
    stop: { signal: 'SIGQUIT', graceMs: 10_000 },
  };
}

function agent(inputs: ServiceInputs): Service {
  const { checkout, paths, sandbox } = inputs;
  const { httpsPort } = inputs.installation;
  return {
    name: 'agent',
    argv: [
      ...([checkout.node, ...SMALL_NODE, daemonFile(checkout, 'agent')] as const),
      ...placeArguments(inputs),
      ...['--sandbox', sandbox],
      ...certificateArguments(inputs.installation.certificates),
    ],
    env: {
      TANDEM_BUILD: checkout.build,
      // It reads it elsewhere, but must be started anew with it.
      ...(httpsPort === undefined ? {} : { TANDEM_HTTPS_PORT: String(httpsPort) }),
      ...SMALL_MALLOC,
    },
    dependsOn: [],
    ready: { kind: 'unix-socket', path: controlSocket(paths) },
    readyTimeoutMs: AGENT_READY_TIMEOUT_MS,
    stop: { signal: 'SIGTERM', graceMs: AGENT_GRACE_MS },
  };
}

function balancer(inputs: ServiceInputs, index: number): Service {
  const { checkout, installation } = inputs;
  const uid = platformUid(installation.slot, PLATFORM_UID.balancer);
  const name = balancerName(index);
  return {
    name,
    argv: [
      ...([checkout.node, '--max-semi-space-size=4', daemonFile(checkout, 'balancer')] as const),
      ...placeArguments(inputs),
      ...['--name', name, '--listen-fd', '0'],
      ...(installation.httpsPort === undefined ? [] : ['--listen-tls-fd', '3']),
    ],
    env: { TANDEM_BUILD: checkout.build, ...ONE_ARENA },
    user: { uid, gid: uid },
    sockets: socketsOf(inputs),
    // The agent makes the keys.
    dependsOn: ['sockets', 'agent'],
    ready: { kind: 'http', port: installation.httpPort },
    stop: { signal: 'SIGTERM', graceMs: BALANCER_GRACE_MS },
  };
}

function placeArguments({ installation, roots }: ServiceInputs): string[] {
  return ['--installation', installation.name, '--data-root', roots.data, '--run-root', roots.run];
}
