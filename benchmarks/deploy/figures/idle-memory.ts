// Memory of all our own processes while nothing happens: everything that belongs to the installation
// and is not in a sandbox. Proportional sizes, so that shared pages count once.
import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { medianParts, type Figure } from '../figure.ts';
import type { Platform } from '../platform.ts';

const MIB_MAX = 160;
const SETTLE_MS = 30_000;
const PAUSE_MS = 2_000;

interface OwnProcess {
  readonly name: string;
  readonly mib: number;
}

export async function measureIdleMemory(platform: Platform, rounds: number): Promise<Figure> {
  await delay(SETTLE_MS);
  const samples: OwnProcess[][] = [];
  for (let round = 1; round <= rounds; round += 1) {
    samples.push(await ownProcesses(platform));
    await delay(PAUSE_MS);
  }
  return {
    name: 'idle memory of the platform',
    unit: 'MiB',
    target: '<= 160 MiB PSS',
    measured: samples.map((sample) => sum(sample)),
    allowed: MIB_MAX,
    parts: medianParts(samples.map(byName)),
  };
}

async function ownProcesses(platform: Platform): Promise<OwnProcess[]> {
  const id = await platform.installationId();
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(pids.map((pid) => ownProcess(pid, id, platform)));
  return found.filter((process) => process !== undefined);
}

async function ownProcess(
  pid: string,
  id: string,
  platform: Platform,
): Promise<OwnProcess | undefined> {
  const [cgroups, command, environment, memory] = await Promise.all(
    ['cgroup', 'cmdline', 'environ', 'smaps_rollup'].map((file) =>
      readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => ''),
    ),
  );
  if (isSandboxed(cgroups ?? '', id)) return undefined;
  const marked = environment?.split('\0').includes(`TANDEM_INSTALLATION_ID=${id}`);
  if (!marked && !command?.includes(`${platform.runDirectory}/`)) return undefined;
  const kib = /^Pss:\s+(\d+) kB/m.exec(memory ?? '')?.[1];
  return kib === undefined ? undefined : { name: nameOf(command ?? ''), mib: Number(kib) / 1024 };
}

/** Instances and databases live in cgroups of the installation; conmon in one called `_conmon`. */
function isSandboxed(cgroups: string, id: string): boolean {
  return cgroups
    .split('\n')
    .some((line) => line.includes(`/tandem-${id}/`) && !line.includes(`/tandem-${id}/_`));
}

/** `agent.js` for a daemon of ours, else the program: `nginx`, `conmon`. */
function nameOf(commandLine: string): string {
  const words = commandLine.split('\0');
  const script = words[0]?.endsWith('/node')
    ? words.find((word) => word.endsWith('.js'))
    : undefined;
  return (script ?? words[0] ?? '?').replace(/[: ].*$/, '').replace(/^.*\//, '');
}

function sum(processes: readonly OwnProcess[]): number {
  return processes.reduce((total, { mib }) => total + mib, 0);
}

function byName(processes: readonly OwnProcess[]): Record<string, number> {
  const names = [...new Set(processes.map(({ name }) => name))];
  return Object.fromEntries(
    names.map((name) => [name, sum(processes.filter((process) => process.name === name))]),
  );
}
