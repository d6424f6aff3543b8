// The cluster as the runner sees it: an instance like any other, with a volume.
import { createHash } from 'node:crypto';
import { LIMITS } from '../../domain/limits.ts';
import { shellQuote } from '../../lib/shell-quote.ts';
import type { LayerRef } from '../../ports/image-store.ts';
import type { InstanceSpec } from '../../ports/runner.ts';
import { SERVER_SCRIPT } from './server-script.ts';
import { accessRules, serverSettings, VOLUME_TARGET, type ClusterAddresses } from './settings.ts';

export interface ClusterOptions {
  /** The stack that holds PostgreSQL. */
  readonly layers: readonly LayerRef[];
  /** Major version in that stack. Names the cluster's directory: another one never opens it. */
  readonly major: number;
  readonly uid: number;
  /** Allocated once and kept by the caller: apps know the cluster by them. */
  readonly ipv6: string;
  readonly ipv4: string;
  readonly port: number;
  /** From where the platform connects (the gateway), and the ranges apps connect from. */
  readonly adminAddresses: readonly string[];
  readonly appRanges: readonly string[];
  readonly adminPassword: string;
  readonly memoryBytes: number;
  readonly logPath: string;
}

/** What belongs to the platform carries the id of its own app. */
const PLATFORM_APP_ID = 0;
const LOCK_WAIT_S = 60;

export function clusterInstance(options: ClusterOptions): InstanceSpec {
  const settings = serverSettings(addressesOf(options), options.memoryBytes);
  const rules = accessRules(addressesOf(options));
  return {
    instanceId: `postgresql-${fingerprint(options, settings, rules)}`,
    desired: 'running',
    onProbation: false,
    essential: true,
    appId: PLATFORM_APP_ID,
    appName: 'tandem',
    uid: options.uid,
    release: 0,
    processName: 'postgresql',
    layers: options.layers,
    command: `exec ${shellQuote(COMMAND)}`,
    workingDirectory: VOLUME_TARGET,
    env: {
      PATH: '/usr/bin:/bin',
      LANG: 'C.UTF-8',
      DATA: VOLUME_TARGET,
      CLUSTER: String(options.major),
      BINARIES: `/usr/lib/postgresql/${options.major}/bin`,
      SERVER_SETTINGS: settings,
      ACCESS_RULES: rules,
      ADMIN_PASSWORD: options.adminPassword,
    },
    memoryBytes: options.memoryBytes,
    pids: LIMITS.postgresql.pids,
    ipv6: options.ipv6,
    ipv4: options.ipv4,
    links: [],
    volumes: [{ name: 'postgresql', target: VOLUME_TARGET }],
    logPath: options.logPath,
    // "Fast": sessions are ended, a checkpoint is written.
    stopSignal: 'SIGINT',
    stopGraceMs: LIMITS.postgresql.stopGraceMs,
  };
}

/**
 * Two servers on one volume would destroy it, and a pid file says nothing across pid namespaces.
 * Every process of the server inherits the lock, so it ends with the last of them.
 */
const COMMAND = [
  ...['flock', '--no-fork', '--timeout', String(LOCK_WAIT_S), `${VOLUME_TARGET}/lock`],
  ...['/bin/sh', '-eu', '-c', SERVER_SCRIPT],
];

function addressesOf(options: ClusterOptions): ClusterAddresses {
  return {
    listen: [options.ipv6, options.ipv4],
    port: options.port,
    admin: options.adminAddresses,
    apps: options.appRanges,
  };
}

/**
 * Changes only with what the server itself would notice: another id means a restart, and the
 * script or the password of a cluster that exists already are no reason for one.
 */
function fingerprint(options: ClusterOptions, settings: string, rules: string): string {
  const layers = options.layers.map((layer) => layer.sha256);
  const noticed = [layers, options.major, options.uid, settings, rules, options.memoryBytes];
  return createHash('sha256').update(JSON.stringify(noticed)).digest('hex').slice(0, 12);
}
