// What `tandem status` says of the platform's own processes and of the machine's memory.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { DoctorCheck, PlatformStatus } from '@tandem/protocol';
import { serviceState } from '../../adapters/s6/service-state.ts';
import { LIMITS } from '../../domain/limits.ts';
import { machineMemory, pssBytes } from '../../lib/process-memory.ts';
import type { PlatformProbe } from '../../nexus/operations/context.ts';
import type { Resolver } from '../../nexus/resolver/index.ts';
import { superviseDirectory, type Paths } from '../../ports/paths.ts';
import type { DatabaseKind } from '../../nexus/context.ts';

type Component = PlatformStatus['components'][number];

export interface PlatformProbeOptions {
  readonly version: string;
  readonly paths: Paths;
  readonly resolver: Resolver;
  readonly database: DatabaseKind;
  readonly examineMachine: () => Promise<readonly DoctorCheck[]>;
}

export function createPlatformProbe(options: PlatformProbeOptions): PlatformProbe {
  return {
    version: options.version,
    components: () => components(options),
    memory: () => memory(options),
    examineMachine: options.examineMachine,
  };
}

async function components(options: PlatformProbeOptions): Promise<Component[]> {
  const [services, database] = await Promise.all([supervised(options), databaseOf(options)]);
  return [...services, database];
}

async function supervised({ paths, resolver }: PlatformProbeOptions): Promise<Component[]> {
  const directory = superviseDirectory(paths);
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
  const names = entries
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .map((entry) => entry.name);
  const known = new Set(resolver.balancers().map((balancer) => balancer.id));
  return await Promise.all(
    names.toSorted().map(async (name) => {
      const state = await serviceState(join(directory, name));
      const missing = name.startsWith('balancer') && !known.has(name);
      return await component(name, state?.pid, missing ? 'does not report to the nexus' : '');
    }),
  );
}

async function component(
  name: string,
  pid: number | undefined,
  trouble: string,
): Promise<Component> {
  if (pid === undefined) return { name, state: 'down', detail: 'not running' };
  const pss = await pssBytes(pid);
  const state = trouble === '' ? 'running' : 'silent';
  const detail = trouble === '' ? `pid ${pid}` : trouble;
  return { name, state, detail, ...(pss === undefined ? {} : { pssBytes: pss }) };
}

async function databaseOf({ database }: PlatformProbeOptions): Promise<Component> {
  const { healthy, detail } = await database.health();
  return { name: database.kind, state: healthy ? 'running' : 'down', detail };
}

async function memory(options: PlatformProbeOptions): Promise<PlatformStatus['memory']> {
  const [own, machine] = await Promise.all([supervised(options), machineMemory()]);
  const platformBytes = own.reduce((sum, { pssBytes: pss }) => sum + (pss ?? 0), 0);
  const roomBytes = Math.max(0, machine.availableBytes - LIMITS.room.reserveBytes);
  return { platformBytes, roomBytes, totalBytes: machine.totalBytes };
}
