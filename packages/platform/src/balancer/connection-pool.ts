// Connections to one upstream: opened with a bound, kept while idle, handed out again only when
// their idle time makes a close by the other end unlikely enough for the request at hand.
import type { BalancerLimits } from '../domain/limits.ts';
import { clock } from './clock.ts';
import { type Address, UpstreamConnection } from './upstream-connection.ts';

export interface OpenListener {
  onOpen(connection: UpstreamConnection): void;
  onOpenFailed(error: NodeJS.ErrnoException): void;
}

export class ConnectionPool {
  readonly #address: Address;
  readonly #idleMsMax: number;
  readonly #limits: BalancerLimits;
  /** The longest idle first. */
  #idle: UpstreamConnection[] = [];
  #expiry: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(address: Address, idleMsMax: number, limits: BalancerLimits) {
    this.#address = address;
    this.#idleMsMax = idleMsMax;
    this.#limits = limits;
  }

  get idleCount(): number {
    return this.#idle.length;
  }

  /** One that was idle for less than `idleMsMax`: the youngest, so that the others may leave. */
  take(idleMsMax: number): UpstreamConnection | undefined {
    for (;;) {
      const connection = this.#idle.at(-1);
      if (!connection || clock.nowMs - connection.idleSinceMs >= idleMsMax) return undefined;
      this.#idle.pop();
      if (connection.usable) return connection;
    }
  }

  /** A new one; tells `listener` once, within the bound for connecting. */
  open(listener: OpenListener): void {
    const timer = setTimeout(() => {
      const late = new Error(`no connection within ${this.#limits.connectTimeoutMs} ms`);
      connection.destroy(Object.assign(late, { code: 'ETIMEDOUT' }));
    }, this.#limits.connectTimeoutMs);
    let isOpen = false;
    const connection = new UpstreamConnection(this.#address, {
      connect: () => {
        clearTimeout(timer);
        isOpen = true;
        listener.onOpen(connection);
      },
      close: (error) => {
        clearTimeout(timer);
        if (isOpen) this.#forget(connection);
        else listener.onOpenFailed(error ?? new Error('closed while connecting'));
      },
    });
  }

  /** Back from a request that left it ready for another one. */
  release(connection: UpstreamConnection): void {
    if (this.#closed || !connection.usable) {
      connection.destroy();
      return;
    }
    connection.consumer = undefined;
    connection.reused = true;
    connection.idleSinceMs = clock.nowMs;
    this.#idle.push(connection);
    if (this.#idle.length > this.#limits.idleConnectionsPerInstanceMax)
      this.#idle.shift()?.destroy();
    this.#expiry ??= setTimeout(() => this.#expire(), this.#idleMsMax);
  }

  /** Idle connections end now, those in use after their request. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#expiry);
    for (const connection of this.#idle.splice(0)) connection.destroy();
  }

  #expire(): void {
    clock.tick();
    const nowMs = clock.nowMs;
    while (this.#idle[0] && nowMs - this.#idle[0].idleSinceMs >= this.#idleMsMax)
      this.#idle.shift()?.destroy();
    const [oldest] = this.#idle;
    this.#expiry = oldest
      ? setTimeout(() => this.#expire(), oldest.idleSinceMs + this.#idleMsMax - nowMs)
      : undefined;
  }

  #forget(connection: UpstreamConnection): void {
    const index = this.#idle.indexOf(connection);
    if (index >= 0) this.#idle.splice(index, 1);
  }
}
