// What a process and its descendants used, as the kernel counts it.
import { readFile } from 'node:fs/promises';

/** USER_HZ: part of Linux's interface to programs, the same on every machine. */
const TICKS_PER_SECOND = 100;

/** The process itself first. Those that end meanwhile are left out. */
export async function processTree(pid: number): Promise<number[]> {
  const path = `/proc/${pid}/task/${pid}/children`;
  const children = (await readFile(path, 'utf8').catch(() => '')).split(' ').filter(Boolean);
  const below = await Promise.all(children.map((child) => processTree(Number(child))));
  return [pid, ...below.flat()];
}

/** User and system time of the whole tree so far. */
export async function cpuSeconds(pid: number): Promise<number> {
  const stats = await Promise.all(
    (await processTree(pid)).map((member) =>
      readFile(`/proc/${member}/stat`, 'utf8').catch(() => ''),
    ),
  );
  return stats.reduce((sum, stat) => sum + cpuTicks(stat), 0) / TICKS_PER_SECOND;
}

/** proc_pid_stat(5): utime and stime; the name before them may hold spaces and brackets. */
export function cpuTicks(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
}

/** What everything together used of one core so far, by /proc/stat. */
export async function coreSeconds(core: number): Promise<number> {
  return coreTicks(await readFile('/proc/stat', 'utf8'), core) / TICKS_PER_SECOND;
}

/** proc_stat(5): all but idle, iowait, and the guest time that user time holds already. */
export function coreTicks(stat: string, core: number): number {
  const line = new RegExp(`^cpu${core} (.*)$`, 'm').exec(stat)?.[1]?.split(' ').map(Number) ?? [];
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = line;
  return user + nice + system + irq + softirq + steal;
}

/** Resident bytes of what answers requests: the descendants, or a process that has none. */
export async function workerBytes(pid: number): Promise<number> {
  const [root = pid, ...descendants] = await processTree(pid);
  const workers = descendants.length > 0 ? descendants : [root];
  const statuses = await Promise.all(
    workers.map((worker) => readFile(`/proc/${worker}/status`, 'utf8').catch(() => '')),
  );
  return statuses.reduce((sum, status) => sum + residentBytes(status), 0);
}

function residentBytes(status: string): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
}
