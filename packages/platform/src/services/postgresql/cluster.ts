// The cluster as the runner sees it: a job that prepares its volume and an instance that runs it.
import { createHash } from 'node:crypto';
import { LIMITS } from '../../domain/limits.ts';
import { shellQuote } from '../../lib/shell-quote.ts';
import type { LayerRef } from '../../ports/image-store.ts';
import type { InstanceSpec, JobSpec, ProcessSpec } from '../../ports/runner.ts';
import { PREPARE_SCRIPT } from './prepare-script.ts';
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

/** The platform's own things carry the id of its own app. */
const PLATFORM_APP_ID = 0;
const VOLUME = 'postgresql';

export function clusterInstance(options: ClusterOptions): InstanceSpec {
  const settings = configuration(options);
  // Two servers on one volume would destroy it, and a pid file says nothing across pid namespaces.
  // The lock is inherited by every process of the server and ends with the last of them.
  const server = ['flock', '--no-fork', '--timeout', '60', `${VOLUME_TARGET}/lock`];
  const command = [
    ...server,
    `${binaries(options)}/postgres`,
    '-D',
    `${VOLUME_TARGET}/${options.major}`,
  ];
  const process = { ...processSpec(options, 'postgresql'), command: shellQuote(command) };
  return {
    ...process,
    instanceId: `postgresql-${fingerprint({ ...process, settings })}`,
    desired: 'running',
    onProbation: false,
    // "Fast": sessions are ended, a checkpoint is written.
    stopSignal: 'SIGINT',
    stopGraceMs: LIMITS.postgresql.stopGraceMs,
  };
}

/** The same id for the same work, so that a job under way is adopted, not started twice. */
export function prepareJob(options: ClusterOptions): JobSpec {
  const env = {
    DATA: VOLUME_TARGET,
    CLUSTER: String(options.major),
    BINARIES: binaries(options),
    ...configuration(options),
  };
  return {
    ...processSpec(options, 'prepare'),
    jobId: `postgresql-prepare-${fingerprint(env)}`,
    command: shellQuote([
      ...['flock', '--no-fork', '--timeout', '60', `${VOLUME_TARGET}/prepare.lock`],
      ...['/bin/sh', '-eu', '-c', PREPARE_SCRIPT],
    ]),
    env: { ...processEnv, ...env, ADMIN_PASSWORD: options.adminPassword },
    timeoutMs: LIMITS.postgresql.prepareTimeoutMs,
  };
}

const processEnv = { PATH: '/usr/bin:/bin', LANG: 'C.UTF-8', TZ: 'UTC' };

function processSpec(options: ClusterOptions, processName: string): Omit<ProcessSpec, 'command'> {
  return {
    appId: PLATFORM_APP_ID,
    appName: 'tandem',
    uid: options.uid,
    release: 0,
    processName,
    layers: options.layers,
    workingDirectory: VOLUME_TARGET,
    env: processEnv,
    memoryBytes: options.memoryBytes,
    pids: LIMITS.postgresql.pids,
    ipv6: options.ipv6,
    ipv4: options.ipv4,
    links: [],
    volumes: [{ name: VOLUME, target: VOLUME_TARGET }],
    logPath: options.logPath,
  };
}

function configuration(options: ClusterOptions): Record<string, string> {
  const addresses: ClusterAddresses = {
    listen: [options.ipv6, options.ipv4],
    port: options.port,
    admin: options.adminAddresses,
    apps: options.appRanges,
  };
  return {
    SERVER_SETTINGS: serverSettings(addresses, options.memoryBytes),
    ACCESS_RULES: accessRules(addresses),
  };
}

function binaries(options: ClusterOptions): string {
  return `/usr/lib/postgresql/${options.major}/bin`;
}

function fingerprint(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 12);
}
