// What the figures were measured on.
import { cpus, loadavg, release, totalmem } from 'node:os';

export interface Machine {
  readonly cores: number;
  readonly memoryMiB: number;
  readonly kernel: string;
  readonly node: string;
  /** Processes that wanted a core before anything was measured; figures mean little above 1. */
  readonly loadBefore: number;
}

export function describeMachine(): Machine {
  return {
    cores: cpus().length,
    memoryMiB: Math.round(totalmem() / 1024 / 1024),
    kernel: release(),
    node: process.version,
    loadBefore: loadavg()[0] ?? 0,
  };
}

/** For the page: when and on what. */
export function measuredOn({ cores, memoryMiB, kernel, node, loadBefore }: Machine): string {
  return `Measured on ${new Date().toISOString().slice(0, 10)}: ${cores} cores, ${memoryMiB} MiB, kernel ${kernel}, Node ${node},
load before the run ${loadBefore.toFixed(1)}.`;
}
