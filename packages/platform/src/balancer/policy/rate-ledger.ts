// When each client's next request is due, for all rate limits of a worker. Bounded: of more clients
// than it may remember it forgets those that were not seen for longest, who then begin anew.
import { LIMITS } from '../../domain/limits.ts';

export class RateLedger {
  readonly #halfMax: number;
  /** Two generations: when the young one is full, the old one is forgotten. */
  #young = new Map<string, number>();
  #old = new Map<string, number>();

  constructor(clientsMax: number = LIMITS.policy.rateClientsMax) {
    this.#halfMax = Math.max(1, Math.floor(clientsMax / 2));
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }

  get(client: string): number | undefined {
    return this.#young.get(client) ?? this.#old.get(client);
  }

  set(client: string, dueMs: number): void {
    if (this.#young.size >= this.#halfMax && !this.#young.has(client)) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(client, dueMs);
  }
}
