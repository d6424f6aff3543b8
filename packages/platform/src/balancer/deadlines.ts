// One timer for everything that waits: who has a deadline is looked at a few times a second. Setting a
// deadline is writing a number.

import { clock } from './clock.ts';

export interface Waiting {
  /** As `after` gives it; Infinity: none. */
  deadlineMs: number;
  /** It has passed, by less than a sweep. */
  onDeadline(): void;
}

const SWEEP_INTERVAL_MS = 100;

export class Deadlines {
  readonly #waiting = new Set<Waiting>();
  #timer: NodeJS.Timeout | undefined;

  get count(): number {
    return this.#waiting.size;
  }

  /** Counted from the event at hand. */
  after(timeoutMs: number): number {
    return clock.nowMs + timeoutMs;
  }

  add(one: Waiting): void {
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
    clock.tick();
    const { nowMs } = clock;
    for (const one of this.#waiting) if (one.deadlineMs <= nowMs) one.onDeadline();
  }
}
