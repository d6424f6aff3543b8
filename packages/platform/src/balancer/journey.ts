// What one exchange has tried so far, across route changes: this bounds its retries.
import { LIMITS } from '../domain/limits.ts';
import type { Exchange, Outcome } from './exchange.ts';
import type { Target } from './target.ts';

/** After an answer failed to come, a repeatable request is sent once more, not again and again. */
const REPEATS_MAX = 1;
/** An instance that is dying accepts for a while and resets; what it did not read did it no harm. */
const RESETS_MAX = 8;
const PAUSE_MS_FIRST = 25;
const PAUSE_MS_MAX = 500;

/** Of an exchange that something failed for. */
export const journeyOf = (exchange: Exchange): Journey =>
  (exchange.journey ??= new Journey(exchange));

export class Journey {
  readonly exchange: Exchange;
  /** Instances that failed in this round. */
  readonly tried = new Set<Target>();
  readonly #startedMs = performance.now();
  #repeats = 0;
  #resets = 0;
  #rounds = 0;
  lastReason = 'No instance is ready.';

  constructor(exchange: Exchange) {
    this.exchange = exchange;
  }

  get repeating(): boolean {
    return this.#repeats + this.#resets > 0;
  }

  /** Whether the exchange may go on after `outcome`; remembers what it says of `target`. */
  mayGoOn(target: Target, outcome: Outcome): boolean {
    switch (outcome.kind) {
      case 'done':
      case 'timeout':
        return false;
      case 'not-sent':
        this.lastReason = outcome.reason;
        this.tried.add(target);
        return true;
      case 'no-response':
        this.lastReason = outcome.reason;
        if (outcome.reset) this.#resets += 1;
        else this.#repeats += 1;
        if (!outcome.stale) this.tried.add(target);
        return this.#mayRepeat();
    }
  }

  #mayRepeat(): boolean {
    const within = this.#repeats <= REPEATS_MAX && this.#resets <= RESETS_MAX;
    return this.exchange.repeatable && within;
  }

  /**
   * Milliseconds to wait before all instances are tried anew; undefined when patience is at its
   * end. An instance that was killed is back within seconds, and nothing was sent yet.
   */
  nextRound(): number | undefined {
    if (performance.now() - this.#startedMs > LIMITS.hold.timeoutMs) return undefined;
    this.tried.clear();
    const pauseMs = Math.min(PAUSE_MS_FIRST * 2 ** this.#rounds, PAUSE_MS_MAX);
    this.#rounds += 1;
    return pauseMs;
  }
}
