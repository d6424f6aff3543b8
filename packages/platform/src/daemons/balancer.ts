// Composition root of a balancer worker. Runs unprivileged, holds one key, no store.
import { access, constants } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { hasCode, TandemError } from '@tandem/protocol';
import { Balancer, type ProxyProtocol } from '../balancer/index.ts';
import {
  createTransportClient,
  ipcEndpoints,
  readCurveKeys,
  readCurvePublicKey,
} from '../adapters/zeromq/index.ts';
import { isPort, parseSocketAddress } from '../domain/socket-address.ts';
import { pidStartTicks } from '../lib/boot-id.ts';
import { dropPrivileges, type ProcessUser } from '../lib/privileges.ts';
import {
  balancerSecrets,
  balancerState,
  keysDirectory,
  nexusSocket,
  type Paths,
  pathsOf,
  staticSocket,
} from '../ports/paths.ts';
import { BALANCER_MESSAGES } from '../ports/balancer-messages.ts';
import type { TransportClient } from '../ports/transport.ts';

const HELP = `Usage: balancer --installation NAME --name NAME (--listen-fd FD | --listen ADDRESS:PORT)

Answers HTTP for all apps by the route table of the nexus. Reads no environment.
TERM or INT: stops accepting, finishes what is under way, exits within 35 s.

  --installation NAME    whose nexus, keys and static server
  --data-root DIR        of all installations (default: /var/lib/tandem)
  --run-root DIR         of all installations (default: /run/tandem)
  --name NAME            of this worker, the same after a restart
  --listen-fd FD         listening socket inherited from the supervisor; workers may share it
  --listen ADDRESS:PORT  or one of our own; IPv6 in brackets, [::]:80 for both families
  --listen-tls-fd FD     the same for TLS
  --listen-tls ADDRESS:PORT
  --trusted-peer CIDR    believe X-Forwarded-* of these peers; may be repeated
  --proxy-protocol       each connection begins with a PROXY header (v1 or v2) of a trusted peer
  --uid N --gid N        give up root for these before anything is read
  --help
`;

const OPTIONS = {
  installation: { type: 'string' },
  'data-root': { type: 'string', default: '/var/lib/tandem' },
  'run-root': { type: 'string', default: '/run/tandem' },
  name: { type: 'string' },
  'listen-fd': { type: 'string' },
  listen: { type: 'string' },
  'listen-tls-fd': { type: 'string' },
  'listen-tls': { type: 'string' },
  'trusted-peer': { type: 'string', multiple: true },
  'proxy-protocol': { type: 'boolean' },
  uid: { type: 'string' },
  gid: { type: 'string' },
  help: { type: 'boolean' },
} as const;

type Flags = ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>['values'];

const KEYS_WAIT_MS = 60_000;
const KEYS_POLL_MS = 200;
const EXIT_USAGE = 64;
const EXIT_FAILED = 70;

const log = (line: string): void => void process.stderr.write(`balancer: ${line}\n`);

try {
  const flags = parseArgs({ options: OPTIONS }).values;
  if (flags.help) process.stdout.write(HELP);
  else await run(flags);
} catch (error) {
  log(error instanceof Error ? error.message : String(error));
  process.exit(hasCode(error, 'USAGE') || isParseError(error) ? EXIT_USAGE : EXIT_FAILED);
}

async function run(flags: Flags): Promise<void> {
  const where = listenAt(flags, 'listen');
  const isTls = flags['listen-tls-fd'] !== undefined || flags['listen-tls'] !== undefined;
  const tlsWhere = isTls ? listenAt(flags, 'listen-tls') : undefined;
  const proxyProtocol = proxyProtocolOf(flags);
  const name = need(flags, 'name');
  const paths = pathsOf(need(flags, 'installation'), {
    data: flags['data-root'],
    run: flags['run-root'],
  });
  if (flags.uid !== undefined) dropPrivileges(userOf(flags));
  const transport = await connect(name, paths);
  const balancer = new Balancer({
    transport,
    name,
    pid: process.pid,
    pidStartTicks: (await pidStartTicks(process.pid)) ?? 0,
    stateFile: join(balancerState(paths), `${name}.json`),
    staticSocket: staticSocket(paths),
    ...(isTls && { certificateFile: join(balancerSecrets(paths), `${name}.json`) }),
    trustedPeers: flags['trusted-peer'] ?? [],
    proxyProtocol,
    log,
  });
  closeOnSignal(async () => {
    await balancer.close();
    await transport.close();
  });
  await balancer.start(where, tlsWhere);
  log(`${name} serves`);
}

async function connect(name: string, paths: Paths): Promise<TransportClient> {
  const keyFile = join(keysDirectory(paths), 'balancer.key');
  const serverKeyFile = join(keysDirectory(paths), 'nexus.pub');
  // The agent makes both when it starts for the first time, perhaps after us.
  await Promise.all([keyFile, serverKeyFile].map((file) => waitForFile(file, KEYS_WAIT_MS)));
  return createTransportClient({
    name,
    servers: [
      {
        endpoints: ipcEndpoints(nexusSocket(paths)),
        publicKey: await readCurvePublicKey(serverKeyFile),
      },
    ],
    keys: await readCurveKeys(keyFile),
    schemas: BALANCER_MESSAGES,
    log,
  });
}

async function waitForFile(path: string, timeoutMs: number): Promise<void> {
  const endMs = performance.now() + timeoutMs;
  while (performance.now() < endMs) {
    if (
      await access(path, constants.R_OK).then(
        () => true,
        () => false,
      )
    )
      return;
    await sleep(KEYS_POLL_MS);
  }
  throw new TandemError('NOT_FOUND', `${path} did not appear`, { hint: 'is the agent running?' });
}

/** The first signal closes, a second one does not wait. */
function closeOnSignal(close: () => Promise<void>): void {
  let closing = false;
  const onSignal = (): void => {
    if (closing) process.exit(EXIT_FAILED);
    closing = true;
    void close().then(() => process.exit(0));
  };
  process.on('SIGTERM', onSignal).on('SIGINT', onSignal);
}

function listenAt(
  flags: Flags,
  name: 'listen' | 'listen-tls',
): { fd: number } | { host: string; port: number } {
  if (flags[`${name}-fd`] !== undefined) return { fd: numberOf(flags, `${name}-fd`) };
  const address = parseSocketAddress(need(flags, name));
  if (!address || !isPort(address.port, { zero: true }))
    throw usage(`--${name} ${flags[name]}: ADDRESS:PORT is needed`);
  return address;
}

function proxyProtocolOf(flags: Flags): ProxyProtocol {
  if (!flags['proxy-protocol']) return 'off';
  if (flags['trusted-peer'] === undefined)
    throw usage('--proxy-protocol: nobody may connect without --trusted-peer');
  return 'required';
}

function userOf(flags: Flags): ProcessUser {
  const uid = numberOf(flags, 'uid');
  return { uid, gid: flags.gid === undefined ? uid : numberOf(flags, 'gid') };
}

function numberOf(flags: Flags, name: 'uid' | 'gid' | 'listen-fd' | 'listen-tls-fd'): number {
  const text = need(flags, name);
  if (!/^\d+$/.test(text)) throw usage(`--${name} ${text}: a number is needed`);
  return Number(text);
}

function need(
  flags: Flags,
  name: Exclude<keyof Flags, 'help' | 'trusted-peer' | 'proxy-protocol'>,
): string {
  const value = flags[name];
  if (value === undefined) throw usage(`--${name} is missing; see --help`);
  return value;
}

function isParseError(error: unknown): boolean {
  return String((error as NodeJS.ErrnoException).code).startsWith('ERR_PARSE_ARGS');
}

function usage(message: string): TandemError {
  return new TandemError('USAGE', message);
}
