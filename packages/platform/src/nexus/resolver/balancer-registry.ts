// Which balancers there are, what each acknowledges and still drains. Built from their hellos alone,
// so a new agent knows nothing until it has listened for a while: see `settled`.
import { LIMITS } from '../../domain/limits.ts';
import type { Clock } from '../../ports/clock.ts';
import { type BalancerHello, HELLO_INTERVAL_MS, LIVE_MS } from '../../ports/route-messages.ts';

export interface BalancerView {
  readonly id: string;
  readonly pid: number;
  readonly epoch: number;
  /** Wall clock. */
  readonly lastSeenMs: number;
  /** Said hello within LIVE_MS. */
  readonly live: boolean;
}

export type BalancerProcess = Pick<BalancerHello, 'pid' | 'pidStartTicks'>;
export type HasEnded = (process: BalancerProcess) => Promise<boolean>;

interface Known {
  readonly hello: BalancerHello;
  readonly heardMs: number;
  readonly heardWallMs: number;
}

export class BalancerRegistry {
  readonly #known = new Map<string, Known>();
  readonly #clock: Pick<Clock, 'nowMs' | 'monotonicMs'>;
  readonly #expected: ReadonlySet<string>;
  readonly #startedMs: number;

  constructor(clock: Pick<Clock, 'nowMs' | 'monotonicMs'>, expected: readonly string[]) {
    this.#clock = clock;
    this.#expected = new Set(expected);
    this.#startedMs = clock.monotonicMs();
  }

  /** A successor under the same name replaces the one before: its supervisor saw that one end. */
  hear(hello: BalancerHello): void {
    this.#known.set(hello.balancer, {
      hello,
      heardMs: this.#clock.monotonicMs(),
      heardWallMs: this.#clock.nowMs(),
    });
  }

  /** Only the process that is known: the goodbye of a predecessor may come late. */
  dismiss(goodbye: BalancerProcess & { readonly balancer: string }): void {
    const known = this.#known.get(goodbye.balancer);
    if (known && isSameProcess(known.hello, goodbye)) this.#known.delete(goodbye.balancer);
  }

  /** Whoever serves has had the time to say so: all that are expected, or one LIVE_MS. */
  get settled(): boolean {
    const expectedHere = [...this.#expected].every((name) => this.#known.has(name));
    if (this.#expected.size > 0 && expectedHere) return true;
    return this.#clock.monotonicMs() - this.#startedMs >= LIVE_MS;
  }

  /**
   * All that may still route by an older table. One that fell silent counts until its process is
   * known to have ended, or nobody has heard of it for as long as an acknowledgement may take.
   */
  hellos(): BalancerHello[] {
    return [...this.#known.values()].map((known) => known.hello);
  }

  views(): BalancerView[] {
    const now = this.#clock.monotonicMs();
    return [...this.#known.values()].map(({ hello, heardMs, heardWallMs }) => ({
      id: hello.balancer,
      pid: hello.pid,
      epoch: hello.epoch,
      lastSeenMs: heardWallMs,
      live: now - heardMs < LIVE_MS,
    }));
  }

  async forgetEnded(hasEnded: HasEnded): Promise<void> {
    const now = this.#clock.monotonicMs();
    for (const [name, { hello, heardMs }] of this.#known) {
      const gone =
        now - heardMs > LIMITS.balancer.acknowledgeTimeoutMs ||
        (now - heardMs > HELLO_INTERVAL_MS && (await hasEnded(hello)));
      const current = this.#known.get(name);
      if (gone && current && isSameProcess(current.hello, hello)) this.#known.delete(name);
    }
  }
}

const isSameProcess = (one: BalancerProcess, other: BalancerProcess): boolean =>
  one.pid === other.pid && one.pidStartTicks === other.pidStartTicks;
