// What follows when an instance ends by itself: another try, later each time, or none. Decides only;
// the runner waits and starts.
import type { LIMITS } from './limits.ts';

/** One end of an instance that nobody asked for. */
export interface Crash {
  readonly atMs: number;
  /** How long it had run. */
  readonly uptimeMs: number;
}

/** `crashesMax` may be infinite. */
export type RestartLimits = {
  readonly [Key in keyof typeof LIMITS.restart]: number;
};

export interface RestartQuestion {
  /** Undefined: it ended before the process was started. */
  readonly exit: { readonly code: number; readonly outOfMemory: boolean } | undefined;
  /** Every crash of this instance, oldest first; the present one is the last. */
  readonly history: readonly Crash[];
  readonly limits: RestartLimits;
  readonly nowMs: number;
}

export interface RestartDecision {
  readonly action: 'restart' | 'give-up';
  /** From `nowMs` on; 0 when given up. */
  readonly delayMs: number;
  /** For people: "out of memory, retry 3/5 in 16 s". */
  readonly reason: string;
}

/** 1 s, 4 s, 16 s, then the longest delay: a slow dependency gets a minute, a typo costs little. */
const BACKOFF_FACTOR = 4;
const SIGNAL_NAMES: Readonly<Record<number, string>> = {
  1: 'SIGHUP',
  2: 'SIGINT',
  3: 'SIGQUIT',
  4: 'SIGILL',
  6: 'SIGABRT',
  7: 'SIGBUS',
  8: 'SIGFPE',
  9: 'SIGKILL',
  11: 'SIGSEGV',
  13: 'SIGPIPE',
  15: 'SIGTERM',
  31: 'SIGSYS',
};

export function decideRestart({ exit, history, limits, nowMs }: RestartQuestion): RestartDecision {
  const cause = describeExit(exit);
  const crashes = crashesInARow(history, limits.stableAfterMs);
  if (crashes > limits.crashesMax) {
    const reason = `${cause}, given up after ${limits.crashesMax} retries`;
    return { action: 'give-up', delayMs: 0, reason };
  }
  const endedAtMs = history.at(-1)?.atMs ?? nowMs;
  const backoffMs = backoff(crashes, limits);
  // A clock that jumped must neither shorten the wait below nothing nor stretch it.
  const delayMs = Math.min(backoffMs, Math.max(0, endedAtMs + backoffMs - nowMs));
  const of = Number.isFinite(limits.crashesMax) ? `/${limits.crashesMax}` : '';
  const reason = `${cause}, retry ${crashes}${of} in ${Math.ceil(delayMs / 1000)} s`;
  return { action: 'restart', delayMs, reason };
}

/** "out of memory", "ended with status 3", "killed by SIGSEGV". */
export function describeExit(exit: RestartQuestion['exit']): string {
  if (exit === undefined) return 'did not start';
  if (exit.outOfMemory) return 'out of memory';
  if (exit.code <= 128) return `ended with status ${exit.code}`;
  const signal = exit.code - 128;
  const name = SIGNAL_NAMES[signal];
  return name === undefined ? `ended with status ${exit.code}` : `killed by ${name}`;
}

/** Counted back to the last run that was stable; its own end is the first of the row. */
function crashesInARow(history: readonly Crash[], stableAfterMs: number): number {
  const lastStable = history.findLastIndex((crash) => crash.uptimeMs >= stableAfterMs);
  return Math.max(1, history.length - Math.max(0, lastStable));
}

function backoff(crashes: number, limits: RestartLimits): number {
  return Math.min(limits.delayMsMax, limits.delayMsFirst * BACKOFF_FACTOR ** (crashes - 1));
}
