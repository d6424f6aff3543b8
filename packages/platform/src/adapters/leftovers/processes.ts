// Processes of an installation, told by what cannot be mistaken: its cgroup, its range of uids, the
// mark in the environment, or conmon with a bundle of ours. Names alone say nothing.
import { readFile, readdir } from 'node:fs/promises';
import { basename } from 'node:path';
import { pidStartTicks } from '../../lib/boot-id.ts';
import { MARK_VARIABLE, type Mark } from './mark.ts';

export interface FoundProcess {
  readonly pid: number;
  readonly startTicks: number;
  readonly parentPid: number;
  readonly command: string;
  /** Below the installation's own; absent when it is in none of them. */
  readonly cgroup?: string;
}

export async function findProcesses(mark: Mark): Promise<FoundProcess[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const found = await Promise.all(pids.map((pid) => inspect(pid, mark)));
  return found.filter((each) => each !== undefined);
}

/** Only if it is still the same process. */
export async function signalProcess(
  { pid, startTicks }: FoundProcess,
  signal: NodeJS.Signals,
): Promise<void> {
  if ((await pidStartTicks(pid)) !== startTicks) return;
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

async function inspect(pid: number, mark: Mark): Promise<FoundProcess | undefined> {
  if (pid === process.pid) return undefined;
  const startTicks = await pidStartTicks(pid);
  if (startTicks === undefined) return undefined;
  const [status, cgroups, environment, commandLine] = await Promise.all(
    ['status', 'cgroup', 'environ', 'cmdline'].map((file) => read(pid, file)),
  );
  const cgroup = cgroupIn(cgroups ?? '', mark);
  const ours =
    cgroup !== undefined ||
    isUidOf(status ?? '', mark) ||
    (environment ?? '').split('\0').includes(`${MARK_VARIABLE}=${mark.id}`) ||
    isConmonOf((commandLine ?? '').split('\0'), mark);
  if (!ours) return undefined;
  return {
    pid,
    startTicks,
    parentPid: Number(/^PPid:\s+(\d+)/m.exec(status ?? '')?.[1] ?? 0),
    command: (commandLine ?? '').replaceAll('\0', ' ').trim() || nameIn(status ?? ''),
    ...(cgroup === undefined ? {} : { cgroup }),
  };
}

async function read(pid: number, file: string): Promise<string> {
  return await readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '');
}

function cgroupIn(text: string, { cgroup }: Mark): string | undefined {
  for (const line of text.split('\n')) {
    const path = line.split(':').slice(2).join(':');
    if (path === cgroup || path.startsWith(`${cgroup}/`)) return path.slice(cgroup.length);
  }
  return undefined;
}

function isUidOf(status: string, { uids }: Mark): boolean {
  const uid = Number(/^Uid:\s+(\d+)/m.exec(status)?.[1] ?? -1);
  return uid >= uids.first && uid <= uids.last;
}

function isConmonOf(argv: readonly string[], { runDirectory }: Mark): boolean {
  return (
    basename(argv[0] ?? '') === 'conmon' &&
    argv.some((argument) => argument.startsWith(`${runDirectory}/`))
  );
}

function nameIn(status: string): string {
  return /^Name:\s+(.*)/m.exec(status)?.[1] ?? '?';
}
