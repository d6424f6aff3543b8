// How many requests an app has under way at a time. A few more wait for a place, in the order in which
// they came; the rest is told to come back.
import { LIMITS } from '../../domain/limits.ts';
import type { Exchange } from '../exchange.ts';
import type { Refusal } from '../refusal.ts';
import type { AdmissionPolicy, Verdict } from './admission.ts';

const BUSY: Refusal = {
  status: 503,
  title: 'Busy',
  detail: 'This site has as much to do as it can take. Please try again shortly.',
  retryAfterS: 5,
};

interface Waiter {
  readonly exchange: Exchange;
  /** With a place, or without. */
  readonly admit: (verdict: Verdict) => void;
}

export interface ConcurrencyBounds {
  readonly requestsMax: number;
  readonly waitingMax: number;
  readonly waitTimeoutMs?: number;
}

export class ConcurrencyLimit implements AdmissionPolicy {
  readonly #bounds: ConcurrencyBounds;
  readonly #waiting = new Set<Waiter>();
  #underWay = 0;

  constructor(bounds: ConcurrencyBounds) {
    this.#bounds = bounds;
  }

  get underWay(): number {
    return this.#underWay;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  judge(exchange: Exchange): Verdict | Promise<Verdict> {
    if (this.#underWay < this.#bounds.requestsMax) {
      this.#take(exchange);
      return undefined;
    }
    return this.#waiting.size < this.#bounds.waitingMax ? this.#wait(exchange) : BUSY;
  }

  /** A place is given back when the exchange ends, however it does. */
  #take(exchange: Exchange): void {
    this.#underWay += 1;
    exchange.ended.addEventListener('abort', () => this.#leave(), { once: true });
  }

  #leave(): void {
    this.#underWay -= 1;
    const [next] = this.#waiting;
    if (next === undefined || this.#underWay >= this.#bounds.requestsMax) return;
    this.#waiting.delete(next);
    this.#take(next.exchange);
    next.admit(undefined);
  }

  #wait(exchange: Exchange): Promise<Verdict> {
    return new Promise((resolve) => {
      const { waitTimeoutMs = LIMITS.policy.waitTimeoutMs } = this.#bounds;
      const giveUp = (): void => {
        this.#waiting.delete(waiter);
        waiter.admit(BUSY);
      };
      const timer = setTimeout(giveUp, waitTimeoutMs);
      const waiter: Waiter = {
        exchange,
        admit: (verdict) => {
          clearTimeout(timer);
          exchange.ended.removeEventListener('abort', giveUp);
          resolve(verdict);
        },
      };
      exchange.ended.addEventListener('abort', giveUp, { once: true });
      this.#waiting.add(waiter);
    });
  }
}
