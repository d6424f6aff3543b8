// So many verifications at a time and so many that wait, for a whole worker: guesses of strangers must
// not take its memory.
import { LIMITS } from '../../domain/limits.ts';

export class VerificationQueue {
  readonly #atOnceMax: number;
  readonly #waitingMax: number;
  readonly #waiting: (() => void)[] = [];
  #underWay = 0;

  constructor(
    atOnceMax: number = LIMITS.policy.verificationsAtOnceMax,
    waitingMax: number = LIMITS.policy.verificationsWaitingMax,
  ) {
    this.#atOnceMax = atOnceMax;
    this.#waitingMax = waitingMax;
  }

  /** Undefined when too many wait already. */
  run<Result>(verify: () => Promise<Result>): Promise<Result> | undefined {
    if (this.#underWay < this.#atOnceMax) return this.#start(verify);
    if (this.#waiting.length >= this.#waitingMax) return undefined;
    return new Promise<void>((resolve) => this.#waiting.push(resolve)).then(() =>
      this.#start(verify),
    );
  }

  async #start<Result>(verify: () => Promise<Result>): Promise<Result> {
    this.#underWay += 1;
    try {
      return await verify();
    } finally {
      this.#underWay -= 1;
      this.#waiting.shift()?.();
    }
  }
}
