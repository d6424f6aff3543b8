// The command line of `tandem balancer`.
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { TandemError } from '@tandem/protocol';
import { type ProxyProtocol, TrustedPeers } from '../../balancer/index.ts';
import { isPort, parseSocketAddress, type SocketAddress } from '../../domain/socket-address.ts';
import { nearestWord } from '../../lib/nearest-word.ts';
import type { CertificateFiles } from './certificate-files.ts';
import type { AccessLogTarget } from './messages.ts';

export interface StandaloneOptions {
  readonly routes: string;
  readonly listen: readonly SocketAddress[];
  readonly listenTls: readonly SocketAddress[];
  readonly listenFds: readonly number[];
  readonly certificates: readonly CertificateFiles[];
  readonly workers: number;
  readonly trustedPeers: readonly string[];
  readonly proxyProtocol: ProxyProtocol;
  readonly accessLog: AccessLogTarget;
  readonly user: string | undefined;
  readonly check: boolean;
}

export const HELP = `Usage: tandem balancer --listen ADDRESS:PORT --routes FILE [options]

Answers HTTP by a routes file and follows its changes:

  {"routes": [{"host": "a.test", "path": "/", "upstreams": ["127.0.0.1:9001"]}]}

  --listen ADDRESS:PORT  may be repeated; IPv6 in brackets, [::]:80 for both families, port 0 for any
  --listen-tls ADDRESS:PORT  the same for HTTPS, HTTP/2 among it; may be repeated
  --certificate FILE     with its chain, PEM; for the names in it, the first for all others too
  --key FILE             of that certificate; both may be repeated. Without them: self-signed, *.localhost
  --listen-fd N          a listening socket that is inherited (systemd: 3); may be repeated
  --routes FILE          see docs/operating/standalone-balancer.md
  --check                say what is wrong with FILE and exit, with 1 when something is
  --workers N            processes that serve (default: one per core)
  --access-log WHERE     a file, "-" for stdout (default), or "off": one JSON line per request
  --trusted-peer CIDR    believe X-Forwarded-* of these peers; may be repeated
  --proxy-protocol       each connection begins with a PROXY header (v1 or v2) of a trusted peer
  --user NAME            what the workers run as when this is started as root
  --hash-password        read a password from stdin and print its hash, for a policy of FILE
  --help

HUP reads all files again and opens the access log anew. USR2 replaces the workers by new ones; no
connection is refused or cut. TERM or INT finishes what is under way, within 45 s; a second one
ends at once.
`;

const OPTIONS = {
  routes: { type: 'string' },
  listen: { type: 'string', multiple: true },
  'listen-tls': { type: 'string', multiple: true },
  certificate: { type: 'string', multiple: true },
  key: { type: 'string', multiple: true },
  'listen-fd': { type: 'string', multiple: true },
  workers: { type: 'string' },
  'trusted-peer': { type: 'string', multiple: true },
  'proxy-protocol': { type: 'boolean' },
  'access-log': { type: 'string' },
  user: { type: 'string' },
  check: { type: 'boolean' },
  'hash-password': { type: 'boolean' },
  help: { type: 'boolean' },
} as const;

const WORKERS_MAX = 256;

/** Undefined when help is asked for. Throws USAGE. */
export function parseOptions(argv: readonly string[]): StandaloneOptions | undefined {
  const { values } = parse(argv);
  if (values.help) return undefined;
  if (values['hash-password']) throw usage('--hash-password stands alone');
  const { routes, check = false } = values;
  if (routes === undefined) throw usage('--routes FILE is missing');
  const listen = (values.listen ?? []).map((text) => parseListen('listen', text));
  const listenTls = (values['listen-tls'] ?? []).map((text) => parseListen('listen-tls', text));
  const listenFds = (values['listen-fd'] ?? []).map((text) =>
    parseNumber('listen-fd', text, 0, 65_535),
  );
  if (listen.length + listenTls.length + listenFds.length === 0 && !check)
    throw usage('--listen ADDRESS:PORT is missing');
  const isProxied = values['proxy-protocol'] === true;
  if (isProxied && values['trusted-peer'] === undefined)
    throw usage('--proxy-protocol: nobody may connect without --trusted-peer');
  return {
    ...{ routes, check, listen, listenTls, listenFds, user: values.user },
    certificates: pairUp(values.certificate ?? [], values.key ?? [], listenTls.length > 0),
    proxyProtocol: isProxied ? 'required' : 'off',
    workers:
      values.workers === undefined
        ? availableParallelism()
        : parseNumber('workers', values.workers, 1, WORKERS_MAX),
    trustedPeers: (values['trusted-peer'] ?? []).map(parsePeer),
    accessLog: parseAccessLog(values['access-log'] ?? '-'),
  };
}

function parse(argv: readonly string[]) {
  const unknown = argv.find((arg) => /^--[^=]/.test(arg) && !Object.hasOwn(OPTIONS, nameOf(arg)));
  if (unknown !== undefined) {
    const nearest = nearestWord(nameOf(unknown), Object.keys(OPTIONS));
    const advice = nearest === undefined ? '' : `; did you mean --${nearest}?`;
    throw usage(`--${nameOf(unknown)} is not known${advice}`);
  }
  try {
    return parseArgs({ args: [...argv], options: OPTIONS });
  } catch (error) {
    throw usage(error instanceof Error ? error.message : String(error));
  }
}

const nameOf = (arg: string): string => arg.slice(2).split('=')[0] ?? '';

/** The first key is of the first certificate, and so on. */
function pairUp(
  certificates: readonly string[],
  keys: readonly string[],
  isTls: boolean,
): CertificateFiles[] {
  if (certificates.length !== keys.length)
    throw usage(
      `${certificates.length} --certificate and ${keys.length} --key: each certificate has its key`,
    );
  if (keys.length > 0 && !isTls)
    throw usage('--certificate is for --listen-tls ADDRESS:PORT, which is missing');
  return certificates.map((certificate, index) => ({ certificate, key: keys[index] ?? '' }));
}

function parseListen(name: string, text: string): SocketAddress {
  // `:80` and `80` are how others write "everywhere".
  const everywhere = /^:?(\d{1,5})$/.exec(text)?.[1];
  const advice = everywhere === undefined ? '' : `; everywhere is [::]:${everywhere}`;
  const address = parseSocketAddress(text);
  if (!address) throw usage(`--${name} ${text}: ADDRESS:PORT is needed${advice}`);
  if (!isPort(address.port, { zero: true }))
    throw usage(`--${name} ${text}: a port from 0 to 65535 is needed`);
  return address;
}

function parsePeer(range: string): string {
  try {
    new TrustedPeers([range]);
    return range;
  } catch {
    throw usage(`--trusted-peer ${range}: an address or a range like 10.0.0.0/8 is needed`);
  }
}

function parseAccessLog(text: string): AccessLogTarget {
  if (text === 'off') return { kind: 'off' };
  if (text === '-') return { kind: 'stdout' };
  if (text === '') throw usage('--access-log: a file, "-" or "off" is needed');
  return { kind: 'file', path: text };
}

function parseNumber(name: string, text: string, least: number, most: number): number {
  const value = /^\d{1,6}$/.test(text) ? Number(text) : NaN;
  if (value >= least && value <= most) return value;
  throw usage(`--${name} ${text}: a number from ${least} to ${most} is needed`);
}

function usage(message: string): TandemError {
  return new TandemError('USAGE', message, { hint: 'See tandem balancer --help.' });
}
