// One instance as this balancer sees it: its connections, its health, what is under way on it.
// Lives as long as the table names the instance, then until the last request on it is done.
import { type BalancerLimits, LIMITS } from '../domain/limits.ts';
import type { Upstream } from '../domain/route-table.ts';
import { ConnectionPool } from './connection-pool.ts';
import { TargetHealth } from './target-health.ts';
import type { Address } from './upstream-connection.ts';

/** A request or tunnel under way. */
export interface Flight {
  readonly kind: 'request' | 'tunnel';
  /** Kept by the target: where it stands among the others. */
  place: number;
  /** Ends it now; its grace is over. */
  cut(): void;
}

/** Of a keep-alive time that is known, how much a request that cannot be retried may rely on. */
const SAFE_SHARE = 0.5;
/** Our own connections close this long before the server would close them. */
const CLOSE_AHEAD_MS = 1_000;

export class Target {
  readonly instanceId: string;
  readonly connections: ConnectionPool;
  readonly health = new TargetHealth();
  readonly #keepAliveMs: number | undefined;
  readonly #limits: BalancerLimits;
  /**
   * No Set: each time it makes room it leaves its old table behind, linked to the new one, and with
   * it everything that was under way then, for as long as the garbage collector thinks it old.
   */
  readonly #flights: Flight[] = [];
  #withdrawn = false;
  #onEmpty: (() => void) | undefined;

  constructor(
    instanceId: string,
    address: Address,
    keepAliveMs?: number,
    limits: BalancerLimits = LIMITS.balancer,
  ) {
    this.instanceId = instanceId;
    this.#keepAliveMs = keepAliveMs;
    this.#limits = limits;
    this.connections = new ConnectionPool(address, idleMsMaxOf(keepAliveMs, limits), limits);
  }

  static of(upstream: Upstream, limits?: BalancerLimits): Target {
    const { instanceId, address, port, keepAliveMs } = upstream;
    return new Target(instanceId, { host: address, port }, keepAliveMs, limits);
  }

  get outstanding(): number {
    return this.#flights.length;
  }

  /** The table names it no more: nothing starts here. */
  get withdrawn(): boolean {
    return this.#withdrawn;
  }

  /** Idle time up to which a kept connection serves; requests that can be repeated risk more. */
  reusableForMs(repeatable: boolean): number {
    const { reuseIdleMsMax, keepAliveMs } = this.#limits;
    if (repeatable) return idleMsMaxOf(this.#keepAliveMs, this.#limits);
    if (this.#keepAliveMs === undefined) return reuseIdleMsMax;
    return Math.min(this.#keepAliveMs, keepAliveMs) * SAFE_SHARE;
  }

  begin(flight: Flight): void {
    flight.place = this.#flights.length;
    this.#flights.push(flight);
  }

  end(flight: Flight): void {
    const last = this.#flights.pop();
    if (last !== undefined && last !== flight) {
      last.place = flight.place;
      this.#flights[flight.place] = last;
    }
    if (this.#flights.length === 0) this.#onEmpty?.();
  }

  /** `onEmpty` runs once nothing is under way any more, perhaps at once. */
  withdraw(onEmpty: () => void): void {
    this.#withdrawn = true;
    this.connections.close();
    this.#onEmpty = onEmpty;
    if (this.#flights.length === 0) onEmpty();
  }

  cut(kind: Flight['kind']): void {
    for (const flight of [...this.#flights]) if (flight.kind === kind) flight.cut();
  }
}

function idleMsMaxOf(keepAliveMs: number | undefined, limits: BalancerLimits): number {
  const known = keepAliveMs === undefined ? Infinity : keepAliveMs - CLOSE_AHEAD_MS;
  return Math.max(0, Math.min(limits.keepAliveMs, known));
}
