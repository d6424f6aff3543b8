// Targets the table names no more, until nothing is under way on them; what outlasts its grace is cut.
import { LIMITS } from '../domain/limits.ts';
import type { Target } from './target.ts';

export interface DrainGrace {
  readonly requestMs: number;
  readonly tunnelMs: number;
}

const DEFAULT_GRACE: DrainGrace = {
  requestMs: LIMITS.drain.webMs,
  tunnelMs: LIMITS.drain.webSocketMs,
};

export class Drain {
  readonly #draining = new Set<Target>();
  readonly #grace: DrainGrace;
  /** An instance is free now: the nexus waits for this. */
  onDrained: () => void = () => undefined;

  constructor(grace: DrainGrace = DEFAULT_GRACE) {
    this.#grace = grace;
  }

  get instanceIds(): string[] {
    return [...new Set([...this.#draining].map((target) => target.instanceId))];
  }

  add(target: Target): void {
    this.#draining.add(target);
    const timers = [
      setTimeout(() => target.cut('request'), this.#grace.requestMs),
      setTimeout(() => target.cut('tunnel'), this.#grace.tunnelMs),
    ];
    target.withdraw(() => {
      for (const timer of timers) clearTimeout(timer);
      if (this.#draining.delete(target)) this.onDrained();
    });
  }
}
