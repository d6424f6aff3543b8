// Real time, in the form of the Clock port.
import { setTimeout as delay } from 'node:timers/promises';

export const systemClock = {
  nowMs: (): number => Date.now(),
  monotonicMs: (): number => performance.now(),
  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    try {
      await delay(ms, undefined, signal === undefined ? {} : { signal });
    } catch (error) {
      // The timer wraps the reason in an AbortError of its own; the port promises the reason.
      throw signal?.aborted === true ? signal.reason : error;
    }
  },
};
