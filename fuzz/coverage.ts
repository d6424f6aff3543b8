// What of the code an input reached: a counter for each branch, which instrument.ts puts there.

const PROBES_MAX = 1 << 16;
/** 1, 2, 3, 4 to 7, 8 to 15, 16 to 31, 32 to 127, more: a loop that runs once more is no news. */
const BUCKETS = 8;

const counters = new Uint32Array(PROBES_MAX);
const seen = new Uint8Array(PROBES_MAX);
let probes = 0;

/** By this name the instrumented code finds it. */
export const COUNTERS_NAME = '__fuzzCounters';
Object.defineProperty(globalThis, COUNTERS_NAME, { value: counters });

export function newProbe(): number {
  if (probes === PROBES_MAX) throw new Error('coverage: more branches than PROBES_MAX');
  probes += 1;
  return probes - 1;
}

export const probeCount = (): number => probes;

export const reachedCount = (): number =>
  seen.subarray(0, probes).filter((bits) => bits > 0).length;

/** What another target reached is new to this one. */
export function forgetReached(): void {
  seen.fill(0);
}

/** Forgets what was counted, not what was seen. */
export function startCounting(): void {
  counters.fill(0, 0, probes);
}

/** Since `startCounting`: branches, or numbers of passes, never seen before. */
export function newlyReached(): number {
  let news = 0;
  for (let probe = 0; probe < probes; probe += 1) {
    const count = counters[probe] as number;
    if (count === 0) continue;
    const bit = 1 << bucketOf(count);
    if (((seen[probe] as number) & bit) !== 0) continue;
    seen[probe] = (seen[probe] as number) | bit;
    news += 1;
  }
  return news;
}

function bucketOf(count: number): number {
  if (count <= 3) return count - 1;
  const bucket = count < 8 ? 3 : count < 16 ? 4 : count < 32 ? 5 : count < 128 ? 6 : 7;
  return Math.min(bucket, BUCKETS - 1);
}
