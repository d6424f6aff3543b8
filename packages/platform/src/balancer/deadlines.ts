// One timer for everything that waits: who has a deadline is looked at a few times a second. Setting a
// deadline is writing a number.

import { performance } from 'node:perf_hooks';

export interface Waiting {
  /** As `after` gives it; Infinity: none. */
  deadlineMs: number;
  /** It has passed, by less than two sweeps. */
  onDeadline(): void;
}

const SWEEP_INTERVAL_MS = 100;

export class Deadlines {
  /** Of the last sweep: asking the clock for each request would cost more than it tells. */
  #nowMs = performance.now();
  readonly #waiting = new Set<Waiting>();
  #timer: NodeJS.Timeout | undefined;

  get count(): number {
    return this.#waiting.size;
  }

  /** Never too early, and late by less than two sweeps. */
  after(timeoutMs: number): number {
    return this.#nowMs + SWEEP_INTERVAL_MS + timeoutMs;
  }

  add(one: Waiting): void {
    if (this.#waiting.size === 0) this.#nowMs = performance.now();
    this.#waiting.add(one);
    this.#timer ??= setInterval(() => this.#sweep(), SWEEP_INTERVAL_MS);
  }

  remove(one: Waiting): void {
    this.#waiting.delete(one);
    if (this.#waiting.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #sweep(): void {
    const nowMs = performance.now();
    this.#nowMs = nowMs;
    for (const one of this.#waiting) if (one.deadlineMs <= nowMs) one.onDeadline();
  }
}
