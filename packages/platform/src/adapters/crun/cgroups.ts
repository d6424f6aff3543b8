// Control groups of sandboxes, on cgroup v1 (also "hybrid") and v2: where they are, what they count,
// how everything in them is ended. crun creates them and sets the limits.
import { open, write } from 'node:fs';
import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { isCgroup2 } from '../../lib/cgroup2.ts';
import { exists } from '../../lib/exists.ts';
import type { SandboxUsage } from '../../ports/sandbox.ts';

const MOUNT_POINT = '/sys/fs/cgroup';
const KILL_TIMEOUT_MS = 15_000;
const KILL_INTERVAL_MS = 10;

export type CgroupMode = 'v1' | 'hybrid' | 'v2';

export interface Cgroups {
  readonly mode: CgroupMode;
  /** Directories of every hierarchy. */
  readonly hierarchies: readonly string[];
  /** Swap can be limited together with memory. */
  readonly swapLimit: boolean;
  /**
   * Descriptor of `cgroup.procs` of the group that this process is in, in one of the hierarchies:
   * open all the time, so that a write begins at once, however busy this thread is.
   */
  readonly ownProcs: number | undefined;
}

export async function detectCgroups(mountPoint = MOUNT_POINT): Promise<Cgroups> {
  const own = await readFile('/proc/self/cgroup', 'utf8');
  if (isCgroup2(mountPoint)) {
    const group = join(mountPoint, /^0::(.*)$/m.exec(own)?.[1] ?? '/');
    return {
      mode: 'v2',
      hierarchies: [mountPoint],
      // The root group has no such file.
      swapLimit: await exists(join(group, 'memory.swap.max')),
      ownProcs: await openProcs(group),
    };
  }
  const entries = await readdir(mountPoint, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  const hybrid = isCgroup2(join(mountPoint, 'unified'));
  const group = join(mountPoint, 'memory', /^\d+:memory:(.*)$/m.exec(own)?.[1] ?? '/');
  return {
    mode: hybrid ? 'hybrid' : 'v1',
    // Names of joined controllers ("cpu,cpuacct") stand beside symbolic links to them.
    hierarchies: names.map((name) => join(mountPoint, name)),
    swapLimit: await exists(join(mountPoint, 'memory', 'memory.memsw.limit_in_bytes')),
    ownProcs: await openProcs(group),
  };
}

/** Hierarchies that decide who pays for memory and what dies with a service of the host. */
const HOLDER_HIERARCHIES = ['memory', 'systemd', 'unified'];

/**
 * The first move between groups in a while waits for a grace period of the kernel (10 ms), those
 * soon after it do not. Moving ourselves to where we are has that wait begin before there is
 * anything to move. Only makes things quick: whether it works does not matter.
 */
export function startGracePeriod({ ownProcs }: Cgroups): void {
  if (ownProcs !== undefined) write(ownProcs, String(process.pid), () => undefined);
}

/**
 * Moves a holder out of the agent's groups, so that it is neither counted nor ended with them. One
 * hierarchy after the other: see startGracePeriod.
 */
export async function moveHolder(cgroups: Cgroups, path: string, pid: number): Promise<void> {
  for (const hierarchy of cgroups.hierarchies) {
    if (cgroups.mode !== 'v2' && !HOLDER_HIERARCHIES.includes(basename(hierarchy))) continue;
    const directory = join(hierarchy, path);
    await mkdir(directory, { recursive: true });
    await writeFile(join(directory, 'cgroup.procs'), String(pid));
  }
}

export async function readUsage(cgroups: Cgroups, path: string): Promise<SandboxUsage> {
  const at = (controller: string, file: string): Promise<string> => {
    const root = cgroups.mode === 'v2' ? MOUNT_POINT : join(MOUNT_POINT, controller);
    return readFile(join(root, path, file), 'utf8').catch(() => '');
  };
  const pids = Number(await at('pids', 'pids.current'));
  const outOfMemoryKills = await countOutOfMemoryKills(cgroups, path);
  if (cgroups.mode === 'v2') {
    const [current, stat, cpu] = await Promise.all([
      at('memory', 'memory.current'),
      at('memory', 'memory.stat'),
      at('cpu', 'cpu.stat'),
    ]);
    const reclaimable = field(stat, 'inactive_file');
    const cpuMs = field(cpu, 'usage_usec') / 1_000;
    return usage({ memoryBytes: Number(current) - reclaimable, cpuMs, pids, outOfMemoryKills });
  }
  const [current, stat, cpu] = await Promise.all([
    at('memory', 'memory.usage_in_bytes'),
    at('memory', 'memory.stat'),
    at('cpuacct', 'cpuacct.usage'),
  ]);
  const memoryBytes = Number(current) - field(stat, 'total_inactive_file');
  return usage({ memoryBytes, cpuMs: Number(cpu) / 1e6, pids, outOfMemoryKills });
}

/** How often the kernel killed something in there for lack of memory. */
export async function countOutOfMemoryKills(cgroups: Cgroups, path: string): Promise<number> {
  const file =
    cgroups.mode === 'v2'
      ? join(MOUNT_POINT, path, 'memory.events')
      : join(MOUNT_POINT, 'memory', path, 'memory.oom_control');
  return field(await readFile(file, 'utf8').catch(() => ''), 'oom_kill');
}

/** Ends every process in the group, also those that fork meanwhile, then removes the group. */
export async function destroyCgroup(cgroups: Cgroups, path: string): Promise<void> {
  const deadline = performance.now() + KILL_TIMEOUT_MS;
  const directories = cgroups.hierarchies.map((hierarchy) => join(hierarchy, path));
  for (;;) {
    await Promise.all(directories.map(killMembers));
    const left = await Promise.all(directories.map(removeEmpty));
    if (left.every((removed) => removed)) return;
    if (performance.now() > deadline) {
      throw new Error(`processes in cgroup ${path} did not end within ${KILL_TIMEOUT_MS} ms`);
    }
    await sleep(KILL_INTERVAL_MS);
  }
}

/** Names of the groups directly below `path`, over all hierarchies. */
export async function listCgroups(cgroups: Cgroups, path: string): Promise<string[]> {
  const lists = await Promise.all(
    cgroups.hierarchies.map((hierarchy) =>
      readdir(join(hierarchy, path), { withFileTypes: true }).catch(() => []),
    ),
  );
  const directories = lists.flat().filter((entry) => entry.isDirectory());
  return [...new Set(directories.map((entry) => entry.name))];
}

async function killMembers(directory: string): Promise<void> {
  const wroteKill = await writeFile(join(directory, 'cgroup.kill'), '1').then(
    () => true,
    () => false,
  );
  if (wroteKill) return;
  const members = await readFile(join(directory, 'cgroup.procs'), 'utf8').catch(() => '');
  for (const line of members.split('\n')) {
    const pid = Number(line);
    if (!(pid > 0)) continue;
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // Ended by itself.
    }
  }
}

async function removeEmpty(directory: string): Promise<boolean> {
  try {
    await rmdir(directory);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT';
  }
}

async function openProcs(group: string): Promise<number | undefined> {
  return await promisify(open)(join(group, 'cgroup.procs'), 'w').catch(() => undefined);
}

function usage(counted: SandboxUsage): SandboxUsage {
  const { memoryBytes, cpuMs } = counted;
  return { ...counted, memoryBytes: Math.max(0, memoryBytes), cpuMs: Math.round(cpuMs) };
}

function field(text: string, name: string): number {
  return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1] ?? 0);
}
