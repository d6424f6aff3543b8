// The Redis of one app as the runner sees it: an instance like any other, with a volume.
import { createHash } from 'node:crypto';
import { LIMITS } from '../../domain/limits.ts';
import { shellQuote } from '../../lib/shell-quote.ts';
import type { LayerRef } from '../../ports/image-store.ts';
import type { InstanceSpec } from '../../ports/runner.ts';
import type { ServiceAttachment } from '../../ports/service-kind.ts';
import type { RedisCredentials } from './credentials.ts';
import { sandboxMemoryBytes, serverSettings, VOLUME_TARGET } from './settings.ts';

/** Name of the process, of the volume and of the log. */
export const REDIS = 'redis';
export const REDIS_PORT = 6379;

export interface ServerPlace {
  /** The stack that holds Redis. */
  readonly layers: readonly LayerRef[];
  readonly uid: number;
  /** Directory of the app's logs: its owner reads this one with the others. */
  readonly logPathOf: (instanceId: string) => string;
}

export function redisInstance(
  { appId, appName, credentials }: ServiceAttachment<RedisCredentials>,
  { layers, uid, logPathOf }: ServerPlace,
): InstanceSpec {
  const { ipv6, ipv4, password } = credentials;
  const { memoryBytes, pids, stopGraceMs } = LIMITS.redis;
  const settings = serverSettings({ listen: ipv6, port: REDIS_PORT, password, memoryBytes });
  const noticed = [layers.map(({ sha256 }) => sha256), uid, ipv4, settings];
  const instanceId = `${REDIS}-${appId}-${fingerprint(noticed)}`;
  return {
    instanceId,
    desired: 'running',
    onProbation: false,
    essential: true,
    appId,
    appName,
    uid,
    release: 0,
    processName: REDIS,
    layers,
    command: `exec ${shellQuote(COMMAND)}`,
    workingDirectory: VOLUME_TARGET,
    env: { PATH: '/usr/bin:/bin', LANG: 'C.UTF-8', SETTINGS: settings },
    memoryBytes: sandboxMemoryBytes(memoryBytes),
    pids,
    ipv6,
    ipv4,
    links: [],
    volumes: [{ name: REDIS, target: VOLUME_TARGET }],
    logPath: logPathOf(instanceId),
    // The append-only file is written and closed.
    stopSignal: 'SIGTERM',
    stopGraceMs,
  };
}

const LOCK_WAIT_S = 60;

const SERVER_SCRIPT = `
umask 077
exec redis-server - <<END
$SETTINGS
END
`;

/** As for a cluster of PostgreSQL: two servers never write one volume (docs/adr/0007). */
const COMMAND = [
  ...['flock', '--no-fork', '--timeout', String(LOCK_WAIT_S), `${VOLUME_TARGET}/lock`],
  ...['/bin/sh', '-eu', '-c', SERVER_SCRIPT],
];

/** Changes only with what the server itself would notice: another id means a restart. */
function fingerprint(noticed: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(noticed)).digest('hex').slice(0, 12);
}
