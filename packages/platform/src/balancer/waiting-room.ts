// Where requests of one app wait for its routes to change. Bounded in number and time.
import { LIMITS } from '../domain/limits.ts';
import { Bell } from '../lib/bell.ts';

export class WaitingRoom {
  readonly #bell = new Bell();
  readonly #seats: number;
  #taken = 0;

  constructor(seats: number = LIMITS.hold.requestsMax) {
    this.#seats = seats;
  }

  get waiting(): number {
    return this.#taken;
  }

  /** The routes changed: whoever waits looks again. */
  routesChanged(): void {
    this.#bell.ring();
  }

  /** False when there was no seat; true after a change, `timeoutMs`, or when `signal` fired. */
  async wait(timeoutMs: number, signal: AbortSignal): Promise<boolean> {
    if (this.#taken >= this.#seats) return false;
    this.#taken += 1;
    try {
      await this.#bell.wait(this.#bell.rings, timeoutMs, signal);
    } finally {
      this.#taken -= 1;
    }
    return true;
  }
}
