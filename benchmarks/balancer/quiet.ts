// Other people's work on the same machine: measuring waits for a gap in it, but not for ever.
import { availableParallelism } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { coreSeconds } from './process-tree.ts';

const SAMPLE_MS = 250;
const PAUSE_MS = 1_000;
/** Of each core; between two slices nothing of ours works. */
const BUSY_MAX = 0.15;

/** How long a figure may wait in all. */
export class Patience {
  #leftMs: number;

  constructor(ms: number) {
    this.#leftMs = ms;
  }

  /** Resolves when every core idles, or patience is at its end. */
  async untilQuiet(): Promise<void> {
    while (this.#leftMs > 0 && (await busiestCore()) > BUSY_MAX) {
      await delay(PAUSE_MS);
      this.#leftMs -= SAMPLE_MS + PAUSE_MS;
    }
  }
}

async function busiestCore(): Promise<number> {
  const cores = Array.from({ length: availableParallelism() }, (_, core) => core);
  const used = () => Promise.all(cores.map(coreSeconds));
  const before = await used();
  const beganMs = performance.now();
  await delay(SAMPLE_MS);
  const seconds = (performance.now() - beganMs) / 1_000;
  const after = await used();
  return Math.max(...cores.map((core) => ((after[core] ?? 0) - (before[core] ?? 0)) / seconds));
}
