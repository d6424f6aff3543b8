// Who serves what, where: holds the route table, gives it to the balancers and knows when all of
// them have taken a change in. Holds no state of its own across restarts but the last epoch.
import { isDeepStrictEqual } from 'node:util';
import { TandemError } from '@tandem/protocol';
import type {
  AppRoutes,
  BalancerChallenge,
  RouteSnapshot,
  RouteUpdate,
} from '../../domain/route-table.ts';
import { pidStartTicks } from '../../lib/boot-id.ts';
import { Bell } from '../../lib/bell.ts';
import { KeyedMutex } from '../../lib/mutex.ts';
import type { Clock } from '../../ports/clock.ts';
import {
  type AccessRecord,
  type BalancerHello,
  HELLO_INTERVAL_MS,
  ROUTES_TOPIC,
} from '../../ports/route-messages.ts';
import type { Message, TransportServer } from '../../ports/transport.ts';
import { BalancerRegistry, type BalancerView, type HasEnded } from './balancer-registry.ts';
import { DrainLedger, instanceIdsOf } from './drain-ledger.ts';

export interface ResolverOptions {
  /** Its schemas must include ROUTE_MESSAGES. */
  readonly server: TransportServer;
  /** The last one persisted; epochs go on from there, so they grow across restarts. */
  readonly lastEpoch: number;
  /** Durable before the epoch is used. */
  readonly persistEpoch: (epoch: number) => Promise<void>;
  /** Names of the balancers the supervisor runs: shortens the time until all are known. */
  readonly expectedBalancers?: readonly string[];
  /** True once that process has ended; default: looks on this machine. */
  readonly hasEnded?: HasEnded;
  /** Requests that are not about routes; default: refused. */
  readonly answerOther?: (message: Message) => Message;
  readonly onAccess: (records: readonly AccessRecord[], batch: AccessBatchOrigin) => void;
  readonly clock?: Pick<Clock, 'nowMs' | 'monotonicMs'>;
}

export interface AccessBatchOrigin {
  readonly balancer: string;
  /** Records it had to drop since it started. */
  readonly dropped: number;
}

export interface Acknowledgement {
  readonly acknowledged: string[];
  /** Not in time; they may still route by an older table. */
  readonly silent: string[];
}

/** Methods may be called concurrently; changes take effect one at a time, in order. */
export interface Resolver {
  /**
   * From now on balancers are given the table. Until then they keep what they have: better than a
   * table that is half filled while the agent starts. `setRoutes` before this only collects.
   */
  open(): Promise<void>;
  /** The epoch from which on the routes are in force; equal routes make no new one. */
  setRoutes(app: AppRoutes): Promise<number>;
  removeApp(appId: number): Promise<number>;
  /** All that balancers shall answer from now on; as `setRoutes`. */
  setChallenges(challenges: readonly BalancerChallenge[]): Promise<number>;
  /** Resolves when every balancer acknowledged `epoch`, or after `timeoutMs`. */
  waitAcknowledged(
    epoch: number,
    options: { signal: AbortSignal; timeoutMs: number },
  ): Promise<Acknowledgement>;
  /** Resolves when no request or tunnel runs on them any more, or after `timeoutMs`. */
  waitDrained(instanceIds: readonly string[], options: { timeoutMs: number }): Promise<void>;
  balancers(): BalancerView[];
  snapshot(): RouteSnapshot;
}

const SYSTEM_CLOCK = { nowMs: () => Date.now(), monotonicMs: () => performance.now() };
/** Also looks when nobody rings: time itself makes a balancer stale. */
const LOOK_INTERVAL_MS = HELLO_INTERVAL_MS / 4;

const hasEndedHere: HasEnded = async ({ pid, pidStartTicks: startTicks }) =>
  (await pidStartTicks(pid)) !== startTicks;

export function createResolver(options: ResolverOptions): Resolver {
  const resolver = new RouteResolver(options);
  options.server.onRequest((message) => resolver.answer(message));
  options.server.onPush((message) => resolver.takePush(message));
  return resolver;
}

class RouteResolver implements Resolver {
  readonly #options: ResolverOptions;
  readonly #registry: BalancerRegistry;
  readonly #ledger = new DrainLedger();
  readonly #apps = new Map<number, AppRoutes>();
  #challenges: readonly BalancerChallenge[] = [];
  readonly #turn = new KeyedMutex();
  readonly #news = new Bell();
  readonly #clock: Pick<Clock, 'nowMs' | 'monotonicMs'>;
  #epoch: number;
  #open = false;

  constructor(options: ResolverOptions) {
    this.#options = options;
    this.#clock = options.clock ?? SYSTEM_CLOCK;
    this.#registry = new BalancerRegistry(this.#clock, options.expectedBalancers ?? []);
    this.#epoch = options.lastEpoch;
  }

  open(): Promise<void> {
    return this.#turn.run('epoch', async () => {
      if (this.#open) return;
      await this.#advanceTo(this.#epoch + 1);
      this.#open = true;
    });
  }

  setRoutes(app: AppRoutes): Promise<number> {
    return this.#turn.run('epoch', async () => {
      const before = this.#apps.get(app.appId);
      const isSame = isDeepStrictEqual(before?.routes ?? [], app.routes);
      if (isSame && isDeepStrictEqual(before?.policy, app.policy))
        return this.#open ? this.#epoch : this.#epoch + 1;
      return await this.#change({ app }, (epoch) => {
        if (app.routes.length > 0) this.#apps.set(app.appId, app);
        else this.#apps.delete(app.appId);
        this.#ledger.record(before, app, epoch);
      });
    });
  }

  setChallenges(challenges: readonly BalancerChallenge[]): Promise<number> {
    return this.#turn.run('epoch', () =>
      this.#change({ challenges }, () => {
        this.#challenges = challenges;
      }),
    );
  }

  removeApp(appId: number): Promise<number> {
    const appName = this.#apps.get(appId)?.appName ?? '';
    return this.setRoutes({ appId, appName, routes: [] });
  }

  async waitAcknowledged(
    epoch: number,
    { signal, timeoutMs }: { signal: AbortSignal; timeoutMs: number },
  ): Promise<Acknowledgement> {
    const hasTaken = (hello: BalancerHello): boolean => hello.epoch >= epoch;
    await this.#until(() => this.#registry.hellos().every(hasTaken), timeoutMs, signal);
    signal.throwIfAborted();
    const hellos = this.#registry.hellos();
    return {
      acknowledged: hellos.filter(hasTaken).map((hello) => hello.balancer),
      silent: hellos.filter((hello) => !hasTaken(hello)).map((hello) => hello.balancer),
    };
  }

  async waitDrained(
    instanceIds: readonly string[],
    { timeoutMs }: { timeoutMs: number },
  ): Promise<void> {
    const isDrained = (id: string): boolean =>
      this.#ledger.isDrained(id, this.#registry.hellos(), this.#epoch);
    const drained = (): boolean => !this.#isNamed(instanceIds) && instanceIds.every(isDrained);
    await this.#until(drained, timeoutMs, new AbortController().signal);
  }

  balancers(): BalancerView[] {
    return this.#registry.views();
  }

  snapshot(): RouteSnapshot {
    return {
      epoch: this.#epoch,
      apps: [...this.#apps.values()],
      ...(this.#challenges.length > 0 && { challenges: this.#challenges }),
    };
  }

  async answer(message: Message): Promise<Message> {
    switch (message.type) {
      case 'balancer.hello':
        return await this.#welcome(message as BalancerHello);
      case 'balancer.goodbye':
        this.#registry.dismiss(message as BalancerHello);
        this.#news.ring();
        return { type: 'balancer.farewell' };
      case 'routes.get':
        if (this.#open) return { type: 'routes.snapshot', snapshot: this.snapshot() };
        throw new TandemError('TRANSPORT_REFUSED', 'the routes are not complete yet');
      default:
        if (this.#options.answerOther) return this.#options.answerOther(message);
        throw new TandemError('TRANSPORT_REFUSED', `${message.type} is no request to the resolver`);
    }
  }

  takePush(message: Message): void {
    if (message.type !== 'access.batch') return;
    const { records, balancer, dropped } = message as unknown as AccessBatchOrigin & {
      records: readonly AccessRecord[];
    };
    this.#options.onAccess(records, { balancer, dropped });
  }

  /** `epoch` 0 in the answer: nothing to be had yet. */
  async #welcome(hello: BalancerHello): Promise<Message> {
    this.#registry.hear(hello);
    // A store that was restored from a backup is behind the balancers: pass them, never go back.
    if (hello.epoch > this.#epoch)
      await this.#turn.run('epoch', async () => {
        if (hello.epoch > this.#epoch) await this.#advanceTo(hello.epoch + 1);
      });
    this.#news.ring();
    return { type: 'balancer.welcome', epoch: this.#open ? this.#epoch : 0 };
  }

  /** In turn. `apply` gets the epoch from which on it is in force. */
  async #change(
    update: Omit<RouteUpdate, 'epoch'>,
    apply: (epoch: number) => void,
  ): Promise<number> {
    const epoch = this.#epoch + 1;
    if (this.#open) await this.#options.persistEpoch(epoch);
    // Epoch and routes change in one turn of the loop: no snapshot may show one without the other.
    if (this.#open) this.#epoch = epoch;
    apply(epoch);
    if (this.#open)
      await this.#options.server.publish(ROUTES_TOPIC, { type: 'routes.update', epoch, ...update });
    return epoch;
  }

  async #advanceTo(epoch: number): Promise<void> {
    await this.#options.persistEpoch(epoch);
    this.#epoch = epoch;
  }

  #isNamed(instanceIds: readonly string[]): boolean {
    return [...this.#apps.values()].some((app) => {
      const named = instanceIdsOf(app);
      return instanceIds.some((id) => named.has(id));
    });
  }

  async #until(reached: () => boolean, timeoutMs: number, signal: AbortSignal): Promise<void> {
    const endMs = this.#clock.monotonicMs() + timeoutMs;
    for (;;) {
      const heard = this.#news.rings;
      await this.#registry.forgetEnded(this.#options.hasEnded ?? hasEndedHere);
      const leftMs = endMs - this.#clock.monotonicMs();
      if ((this.#registry.settled && reached()) || leftMs <= 0 || signal.aborted) return;
      await this.#news.wait(heard, Math.min(leftMs, LOOK_INTERVAL_MS), signal);
    }
  }
}
