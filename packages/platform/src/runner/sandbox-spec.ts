// From what the nexus wants to what the sandbox starts.
import { commandLineArgs } from '../domain/command-line.ts';
import { LIMITS } from '../domain/limits.ts';
import { volumeLayout } from '../domain/volume.ts';
import type { ProcessSpec } from '../ports/runner.ts';
import { volumeMount, volumesDirectory, type Paths } from '../ports/paths.ts';
import type { SandboxMount, SandboxSpec } from '../ports/sandbox.ts';
import { join } from 'node:path';

export interface SandboxIdentity {
  readonly sandboxId: string;
  readonly paths: Paths;
  readonly extraMounts?: readonly SandboxMount[];
}

export function sandboxSpec(spec: ProcessSpec, identity: SandboxIdentity): SandboxSpec {
  const layout = spec.volume && volumeLayout(spec.volume);
  return {
    id: identity.sandboxId,
    layers: spec.layers,
    args: commandLineArgs(spec.command),
    env: spec.env,
    cwd: spec.workingDirectory ?? '/app',
    uid: spec.uid,
    userName: 'app',
    hostname: `${spec.appName}-${spec.processName.replace(/[^a-z0-9]+/gi, '-')}`.slice(0, 63),
    hosts: Object.fromEntries(spec.links.map((link) => [link.hostname, link.ipv6])),
    mounts: [
      ...spec.volumes.map((volume) => ({
        source: join(volumesDirectory(identity.paths), String(spec.appId), volume.name),
        target: volume.target,
        readOnly: false,
      })),
      ...(layout?.directories ?? []).map(({ name, target }) => ({
        source: join(volumeMount(identity.paths, spec.appId), name),
        target,
        readOnly: false,
      })),
      ...(identity.extraMounts ?? []),
    ],
    ...(layout ? { links: layout.links } : {}),
    limits: {
      memoryBytes: spec.memoryBytes,
      pids: spec.pids ?? LIMITS.instance.pids,
      openFiles: LIMITS.instance.openFiles,
      tmpBytes: LIMITS.instance.tmpBytes,
      cpuWeight: 100,
    },
    network: {
      ipv6: spec.ipv6,
      ipv4: spec.ipv4,
      links: spec.links.map(({ ipv6, port }) => ({ ipv6, port })),
    },
    logPath: spec.logPath,
  };
}
