// A slice of load on one proxy, and the turns in which they take it.
import { truncate } from 'node:fs/promises';
import type { Reading } from './figure.ts';
import type { LoadResult } from './load/load-result.ts';
import { PROXY_CORE } from './pinned-processes.ts';
import { coreSeconds, cpuSeconds } from './process-tree.ts';
import { Patience } from './quiet.ts';

const WARM_UP_SECONDS = 1;
/** For each figure. */
export const PATIENCE_MS = 60_000;

export interface Slice {
  /** Whose CPU time counts. */
  readonly pid: number;
  readonly load: (seconds: number) => Promise<LoadResult>;
  readonly seconds: number;
  /** Emptied afterwards: minutes of load are gigabytes of lines. */
  readonly accessLog?: string;
}

/** Operations per second of one proxy, after a warm-up that brings its connections and its code up. */
export async function measureSlice({ pid, load, seconds, accessLog }: Slice): Promise<Reading> {
  await load(WARM_UP_SECONDS);
  const before = { proxy: await cpuSeconds(pid), core: await coreSeconds(PROXY_CORE) };
  const result = await load(seconds);
  const used = (await cpuSeconds(pid)) - before.proxy;
  const usedOfCore = (await coreSeconds(PROXY_CORE)) - before.core;
  if (accessLog !== undefined) await truncate(accessLog);
  return {
    value: result.operations / result.seconds,
    cpuUs: (used * 1e6) / result.operations,
    busy: used / result.seconds,
    others: Math.max(0, usedOfCore - used) / result.seconds,
  };
}

/** A B C A B C: what disturbs the machine for a while disturbs everyone. */
export async function inTurns(
  rounds: number,
  turns: Readonly<Record<string, () => Promise<Reading>>>,
): Promise<Record<string, Reading[]>> {
  const readings: Record<string, Reading[]> = {};
  const patience = new Patience(PATIENCE_MS);
  for (let round = 1; round <= rounds; round += 1) {
    process.stderr.write(`  round ${round} of ${rounds}\n`);
    for (const [name, take] of Object.entries(turns)) {
      await patience.untilQuiet();
      (readings[name] ??= []).push(await take());
    }
  }
  return readings;
}
