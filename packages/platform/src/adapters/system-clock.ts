// The Clock port on real time.
import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../ports/clock.ts';

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  async sleep(ms, signal) {
    try {
      await delay(ms, undefined, signal === undefined ? {} : { signal });
    } catch (error) {
      // The timer wraps the reason in an AbortError of its own; the port promises the reason.
      throw signal?.aborted === true ? signal.reason : error;
    }
  },
};
