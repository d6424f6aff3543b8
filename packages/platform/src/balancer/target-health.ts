// Passive health of one instance: what failed is left alone for a while, then comes back slowly, so
// that a restarted server is not met by everything that waited. Pure; time comes in.

const DOWN_MS_FIRST = 500;
const DOWN_MS_MAX = 10_000;
/** Requests at a time once it may be tried again; doubles with each success. */
const ALLOWANCE_FIRST = 1;
const ALLOWANCE_FULL = 64;

export class TargetHealth {
  #failures = 0;
  #downUntilMs = 0;
  #allowance = Infinity;

  /** Whether a request may go there while `outstanding` others are under way. */
  admits(outstanding: number, nowMs: number): boolean {
    return nowMs >= this.#downUntilMs && outstanding < this.#allowance;
  }

  succeeded(): void {
    if (this.#allowance === Infinity) return;
    this.#failures = 0;
    this.#downUntilMs = 0;
    this.#allowance *= 2;
    if (this.#allowance >= ALLOWANCE_FULL) this.#allowance = Infinity;
  }

  failed(nowMs: number): void {
    // Many requests that fail together are one failure.
    if (nowMs < this.#downUntilMs) return;
    const downMs = Math.min(DOWN_MS_FIRST * 2 ** this.#failures, DOWN_MS_MAX);
    this.#failures += 1;
    this.#downUntilMs = nowMs + downMs;
    this.#allowance = ALLOWANCE_FIRST;
  }
}
