// Time as an argument: policy and loops take a Clock, so tests decide what time it is.
export interface Clock {
  /** Wall-clock milliseconds since the epoch; may jump. */
  nowMs(): number;
  /** Milliseconds since an arbitrary start; never goes back. For durations. */
  monotonicMs(): number;
  /** Resolves after `ms`; rejects with the reason of `signal` when that fires first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}
