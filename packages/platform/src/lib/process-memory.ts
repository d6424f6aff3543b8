// What memory a process and the machine have, as the kernel counts it.
import { readFile } from 'node:fs/promises';

/** Proportional set size: shared pages count by their share, so a sum over processes is true. */
export async function pssBytes(pid: number): Promise<number | undefined> {
  const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '');
  return kibibytes(rollup, 'Pss');
}

export interface MachineMemory {
  readonly totalBytes: number;
  /** What new processes may take without swapping, by the kernel's own estimate. */
  readonly availableBytes: number;
}

export async function machineMemory(): Promise<MachineMemory> {
  const meminfo = await readFile('/proc/meminfo', 'utf8');
  return {
    totalBytes: kibibytes(meminfo, 'MemTotal') ?? 0,
    availableBytes: kibibytes(meminfo, 'MemAvailable') ?? 0,
  };
}

function kibibytes(table: string, field: string): number | undefined {
  const match = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(table);
  return match?.[1] === undefined ? undefined : Number(match[1]) * 1024;
}
