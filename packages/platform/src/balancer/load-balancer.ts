// Chooses the instance of one route: the one with fewer requests under way of two taken at random,
// those known to fail left out while others are there.
import type { Target } from './target.ts';

export type Random = () => number;

export class LoadBalancer {
  readonly targets: readonly Target[];
  readonly #random: Random;

  constructor(targets: readonly Target[], random: Random = Math.random) {
    this.targets = targets;
    this.#random = random;
  }

  /** Undefined once all were tried. */
  choose(tried: ReadonlySet<Target>, nowMs = performance.now()): Target | undefined {
    const candidates = this.targets.filter((target) => !tried.has(target));
    const admitted = candidates.filter((one) => one.health.admits(one.outstanding, nowMs));
    // When all look bad, looks deceive: better to try than to refuse.
    const pool = admitted.length > 0 ? admitted : candidates;
    const first = this.#pick(pool);
    const second = this.#pick(pool.filter((target) => target !== first));
    if (!first || !second) return first;
    return second.outstanding < first.outstanding ? second : first;
  }

  #pick(pool: readonly Target[]): Target | undefined {
    return pool[Math.floor(this.#random() * pool.length)];
  }
}
