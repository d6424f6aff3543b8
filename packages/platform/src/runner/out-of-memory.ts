// The memory limit of a process: what its end there is called, and how it is seen while a web
// process starts.
import { TandemError } from '@tandem/protocol';
import type { InstanceSpec } from '../ports/runner.ts';
import type { Attempt } from './hooks/hook.ts';

const MIB = 1024 * 1024;
const LOOK_MS = 1_000;
/** From here on there is no need to wait for the probe. */
const KILLS_MAX = 3;

export function outOfMemory(spec: InstanceSpec): TandemError {
  const { appName, processName, release, memoryBytes } = spec;
  const mebibytes = Math.round(memoryBytes / MIB);
  const type = processName.split('.')[0] ?? processName;
  return new TandemError(
    'OUT_OF_MEMORY',
    `${processName} was killed: it reached its memory limit of ${mebibytes} MiB`,
    {
      hint: `tandem scale -a ${appName} ${type}=:${mebibytes * 2}M`,
      log: `tandem logs -a ${appName} --release v${release} -p ${processName}`,
    },
  );
}

/**
 * Runs `work` until its end. A server starts killed workers again for ever, so the probe alone would
 * only see that nobody answers, or would be content with the one that is left: any kill during a
 * start is OUT_OF_MEMORY.
 */
export async function unlessOutOfMemory<T>(attempt: Attempt, work: () => Promise<T>): Promise<T> {
  const over = new AbortController();
  const signal = AbortSignal.any([attempt.signal, over.signal]);
  try {
    const result = await Promise.race([work(), watchKills(attempt, signal)]);
    if ((await killsOf(attempt)) === 0) return result;
  } catch (error) {
    if (attempt.signal.aborted || (await killsOf(attempt)) === 0) throw error;
  } finally {
    over.abort();
  }
  throw outOfMemory(attempt.spec);
}

async function watchKills(attempt: Attempt, signal: AbortSignal): Promise<never> {
  for (;;) {
    await attempt.context.clock.sleep(LOOK_MS, signal);
    if ((await killsOf(attempt)) >= KILLS_MAX) throw outOfMemory(attempt.spec);
  }
}

async function killsOf({ process }: Attempt): Promise<number> {
  const usage = await process?.usage().catch(() => undefined);
  return usage?.outOfMemoryKills ?? 0;
}
