// What the server is told, all of it on its standard input: nothing of it lies on a disk. Pure.
import { createHash } from 'node:crypto';
import { LIMITS } from '../../domain/limits.ts';

const MIB = 1024 * 1024;

/** Where the volume lies inside the sandbox. */
export const VOLUME_TARGET = '/data';

export interface ServerOptions {
  /** The address of the instance itself; it listens on this only. */
  readonly listen: string;
  readonly port: number;
  readonly password: string;
  /** Of the data and the buffers of clients. */
  readonly memoryBytes: number;
}

/**
 * While the append-only file is rewritten, each page that changes exists twice; one answer may be as
 * large as all the data. So a full server stays alive.
 */
export function sandboxMemoryBytes(memoryBytes: number): number {
  return 3 * memoryBytes + 32 * MIB;
}

/** https://redis.io/docs/latest/operate/oss_and_stack/management/config/ */
export function serverSettings({ listen, port, password, memoryBytes }: ServerOptions): string {
  const settings: Readonly<Record<string, string | number>> = {
    bind: listen,
    port,
    // No way in through the file system.
    unixsocket: '""',
    'protected-mode': 'yes',
    user: accessRule(password),
    'enable-protected-configs': 'no',
    'enable-debug-command': 'no',
    'enable-module-command': 'no',
    'sanitize-dump-payload': 'yes',

    // What was acknowledged more than a second ago outlives any end of the server.
    dir: VOLUME_TARGET,
    appendonly: 'yes',
    appendfsync: 'everysec',
    save: '""',
    'auto-aof-rewrite-percentage': 100,
    'auto-aof-rewrite-min-size': '16mb',

    // Full means that writes are refused: a queue never loses what it has taken.
    maxmemory: memoryBytes,
    'maxmemory-policy': 'noeviction',
    maxclients: LIMITS.redis.clientsMax,
    // Buffers are bounded too, or a client could have the whole server killed.
    'maxmemory-clients': '50%',
    'proto-max-bulk-len': Math.floor(memoryBytes / 4),
    'client-query-buffer-limit': Math.floor(memoryBytes / 2),
    'client-output-buffer-limit': `normal ${memoryBytes} 0 0`,
    // If the kernel must choose after all: the child that rewrites, not the server.
    'oom-score-adj': 'relative',
    'oom-score-adj-values': '0 200 400',

    'tcp-backlog': 128,
    // An instance that vanished leaves no connection behind for long.
    'tcp-keepalive': 60,
    logfile: '""',
    loglevel: 'notice',
    'always-show-logo': 'no',
    // A histogram of each command costs as much memory as a small app's data.
    'latency-tracking': 'no',
    'shutdown-timeout': 10,
  };
  return Object.entries(settings)
    .map(([name, value]) => `${name} ${value}\n`)
    .join('');
}

/** What Redis calls administration stays with the platform, but for looking. */
const ALLOWED_ADMINISTRATION = [
  // Libraries ask for the eviction policy and the number of databases.
  'config|get',
  // RQ finds its own address in the list; pools end connections that are stuck.
  'client|list',
  'client|kill',
  'lastsave',
  'latency|latest',
  'slowlog|get',
  'slowlog|len',
];

/** Would make the server connect to wherever the app says. */
const REFUSED = ['migrate'];

/**
 * The user `default`, because projects that read REDIS_PASSWORD know no user name. The server is
 * only told the hash of the password.
 */
function accessRule(password: string): string {
  const hash = createHash('sha256').update(password).digest('hex');
  return [
    ...['default', 'reset', 'on', `#${hash}`, '~*', '&*', '+@all', '-@admin'],
    ...ALLOWED_ADMINISTRATION.map((command) => `+${command}`),
    ...REFUSED.map((command) => `-${command}`),
  ].join(' ');
}
