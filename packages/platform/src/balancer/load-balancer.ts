// Chooses the instance of one route: the one with fewer requests under way of two taken at random,
// those known to fail left out while others are there.
import { clock } from './clock.ts';
import type { Target } from './target.ts';

export type Random = () => number;

const NONE: ReadonlySet<Target> = new Set();

export class LoadBalancer {
  readonly targets: readonly Target[];
  readonly #random: Random;

  constructor(targets: readonly Target[], random: Random = Math.random) {
    this.targets = targets;
    this.#random = random;
  }

  /** One that was not tried is thought to be well. */
  isWell(tried: ReadonlySet<Target> = NONE, nowMs = performance.now()): boolean {
    return this.targets.some(
      (target) => !tried.has(target) && target.health.admits(target.outstanding, nowMs),
    );
  }

  /** Undefined once all were tried. */
  choose(tried: ReadonlySet<Target> = NONE, nowMs = clock.nowMs): Target | undefined {
    const [only] = this.targets;
    if (this.targets.length === 1 && tried.size === 0) return only;
    const candidates = this.targets.filter((target) => !tried.has(target));
    const admitted = candidates.filter((one) => one.health.admits(one.outstanding, nowMs));
    // When all look bad, looks deceive: better to try than to refuse.
    const pool = admitted.length > 0 ? admitted : candidates;
    const first = Math.floor(this.#random() * pool.length);
    if (pool.length < 2) return pool[first];
    // Any other one with the same chance.
    const second = (first + 1 + Math.floor(this.#random() * (pool.length - 1))) % pool.length;
    return fewerUnderWay(pool[first] as Target, pool[second] as Target);
  }
}

const fewerUnderWay = (first: Target, second: Target): Target =>
  second.outstanding < first.outstanding ? second : first;
