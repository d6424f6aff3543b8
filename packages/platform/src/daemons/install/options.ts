// Command lines of `up` and `down`.
import { hostname } from 'node:os';
import { parseArgs } from 'node:util';
import { TandemError } from '@tandem/protocol';
import type { CertificateSettings } from '../../domain/installation.ts';
import {
  CERTIFICATE_OPTIONS,
  CERTIFICATE_USAGE,
  readCertificateOptions,
} from '../certificate-options.ts';

export interface UpOptions {
  readonly name: string;
  /** What was not said on the command line is as the installation has it. */
  readonly suffix?: string;
  readonly httpPort?: number;
  /** 0: none. */
  readonly httpsPort?: number;
  readonly sandbox?: SandboxKind;
  readonly dataRoot: string;
  readonly runRoot: string;
  readonly nodeName: string;
  readonly example: boolean;
  readonly certificates: CertificateSettings;
}

export interface DownOptions {
  readonly name: string;
  readonly dataRoot: string;
  readonly runRoot: string;
  readonly purge: boolean;
}

export type SandboxKind = 'crun' | 'process';

export const DEFAULT_NAME = 'default';
const ROOTS = { data: '/var/lib/tandem', run: '/run/tandem' };

export const UP_USAGE = `Usage: script/up [options]
  --installation NAME   default: ${DEFAULT_NAME}
  --domain SUFFIX       apps answer at NAME.SUFFIX (default: localhost)
  --port N              of the balancer (default: 8080)
  --https-port N        of the balancer for TLS, 0 for none (default: 443 beside port 80, else none)
  --data-root DIR       default: ${ROOTS.data}
  --run-root DIR        default: ${ROOTS.run}
  --sandbox KIND        crun (default), or process where crun cannot run
  --no-example          do not deploy the example site
${CERTIFICATE_USAGE}`;

export const DOWN_USAGE = `Usage: script/down [options]
  --installation NAME   default: ${DEFAULT_NAME}
  --purge               delete all data too: apps, databases, logs
  --data-root DIR, --run-root DIR   where it lives, if the machine has forgotten`;

const strings = <const T extends string>(...names: T[]) =>
  Object.fromEntries(names.map((name) => [name, { type: 'string' }])) as Record<
    T,
    { type: 'string' }
  >;

export function parseUp(args: readonly string[]): UpOptions {
  const values = parse(args, UP_USAGE, {
    ...strings('installation', 'domain', 'port', 'https-port', 'data-root', 'run-root', 'sandbox'),
    'no-example': { type: 'boolean' },
    ...CERTIFICATE_OPTIONS,
  });
  return {
    name: values.installation ?? DEFAULT_NAME,
    ...(values.domain === undefined ? {} : { suffix: parseSuffix(values.domain) }),
    ...(values.port === undefined ? {} : { httpPort: parsePort(values.port) }),
    ...(values['https-port'] === undefined
      ? {}
      : { httpsPort: values['https-port'] === '0' ? 0 : parsePort(values['https-port']) }),
    ...(values.sandbox === undefined ? {} : { sandbox: parseSandbox(values.sandbox) }),
    dataRoot: parseRoot(values['data-root'] ?? ROOTS.data),
    runRoot: parseRoot(values['run-root'] ?? ROOTS.run),
    nodeName: hostname(),
    example: !values['no-example'],
    certificates: readCertificateOptions(values),
  };
}

export function parseDown(args: readonly string[]): DownOptions {
  const values = parse(args, DOWN_USAGE, {
    ...strings('installation', 'data-root', 'run-root'),
    purge: { type: 'boolean' },
  });
  return {
    name: values.installation ?? DEFAULT_NAME,
    dataRoot: parseRoot(values['data-root'] ?? ROOTS.data),
    runRoot: parseRoot(values['run-root'] ?? ROOTS.run),
    purge: values.purge ?? false,
  };
}

type OptionTypes = Record<string, { type: 'string'; multiple?: true } | { type: 'boolean' }>;
type Values<T extends OptionTypes> = {
  [K in keyof T]?: T[K] extends { multiple: true }
    ? string[]
    : T[K] extends { type: 'string' }
      ? string
      : boolean;
};

function parse<T extends OptionTypes>(
  args: readonly string[],
  usage: string,
  options: T,
): Values<T> {
  try {
    return parseArgs({ args: [...args], options }).values;
  } catch (error) {
    throw new TandemError('USAGE', (error as Error).message, { hint: usage });
  }
}

function parsePort(text: string): number {
  const port = /^\d+$/.test(text) ? Number(text) : 0;
  if (port >= 1 && port <= 65_535) return port;
  throw new TandemError('USAGE', `"${text}" is not a port.`, { hint: UP_USAGE });
}

function parseSuffix(text: string): string {
  const suffix = text.toLowerCase();
  const label = '[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?';
  if (suffix.length <= 200 && new RegExp(`^${label}(\\.${label})*$`).test(suffix)) return suffix;
  throw new TandemError('USAGE', `"${text}" is not a domain name.`, { hint: UP_USAGE });
}

function parseSandbox(text: string): SandboxKind {
  if (text === 'crun' || text === 'process') return text;
  throw new TandemError('USAGE', `There is no sandbox "${text}".`, { hint: UP_USAGE });
}

function parseRoot(text: string): string {
  // Sockets have at most 107 bytes for their whole path.
  if (/^\/[A-Za-z0-9._/-]{1,40}$/.test(text) && !text.split('/').includes('..')) return text;
  throw new TandemError('USAGE', `"${text}" is not an absolute path of at most 40 plain letters.`);
}
