// Connections to one upstream: opened with a bound, kept while idle, handed out again only when
// their idle time makes a close by the other end unlikely enough for the request at hand.
import { Agent } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { LIMITS } from '../domain/limits.ts';

export type Address =
  { readonly host: string; readonly port: number } | { readonly socketPath: string };

/** An Agent of node:http that knows one socket: the public way to choose which one a request takes. */
class OneSocketAgent extends Agent {
  readonly #socket: Socket;

  constructor(socket: Socket) {
    super({ keepAlive: true, maxSockets: 1 });
    this.#socket = socket;
  }

  override createConnection(): Duplex {
    return this.#socket;
  }
}

export class Connection {
  readonly socket: Socket;
  readonly agent: Agent;
  /** It carried a request before. */
  reused = false;
  idleSinceMs = 0;
  readonly #drop = (): void => void this.socket.destroy();

  constructor(socket: Socket, onFree: (connection: Connection) => void) {
    this.socket = socket;
    this.agent = new OneSocketAgent(socket);
    // After the agent's own listener: it has decided by then whether the socket may live on.
    this.agent.on('free', () => onFree(this));
  }

  /** While idle it ends after `idleMsMax`, and at any byte: no request can be meant by it. */
  rest(idleMsMax: number): void {
    this.reused = true;
    this.idleSinceMs = performance.now();
    this.socket.setTimeout(idleMsMax);
    this.socket.on('timeout', this.#drop).on('data', this.#drop);
  }

  wake(): void {
    this.socket.off('timeout', this.#drop).off('data', this.#drop);
    this.socket.setTimeout(0);
  }

  get usable(): boolean {
    return !this.socket.destroyed && this.socket.readable && this.socket.writable;
  }
}

export class ConnectionPool {
  readonly #address: Address;
  readonly #idleMsMax: number;
  #idle: Connection[] = [];
  #closed = false;

  constructor(address: Address, idleMsMax: number) {
    this.#address = address;
    this.#idleMsMax = idleMsMax;
  }

  get idleCount(): number {
    return this.#idle.length;
  }

  /** One that was idle for less than `idleMsMax`, else a new one. Rejects when it cannot connect. */
  async acquire(idleMsMax: number): Promise<Connection> {
    if (this.#idle.length > 0 && idleMsMax > 0) {
      // A close that has arrived already is seen in this turn of the loop.
      await nextTurn();
      const connection = this.#takeIdle(idleMsMax);
      if (connection) return connection;
    }
    return await this.#open();
  }

  /** Puts back one that was acquired and not used. */
  release(connection: Connection): void {
    if (this.#closed || !connection.usable) {
      connection.socket.destroy();
      return;
    }
    if (this.#idle.length >= LIMITS.balancer.idleConnectionsPerInstanceMax)
      this.#idle.shift()?.socket.destroy();
    connection.rest(this.#idleMsMax);
    this.#idle.push(connection);
  }

  /** Idle connections end now, those in use after their request. */
  close(): void {
    this.#closed = true;
    for (const connection of this.#idle) connection.socket.destroy();
    this.#idle = [];
  }

  /** The youngest: the longest idle ones get the chance to leave. */
  #takeIdle(idleMsMax: number): Connection | undefined {
    for (;;) {
      const connection = this.#idle.at(-1);
      if (!connection || performance.now() - connection.idleSinceMs >= idleMsMax) return undefined;
      this.#idle.pop();
      if (!connection.usable) continue;
      connection.wake();
      return connection;
    }
  }

  async #open(): Promise<Connection> {
    const socket = await openSocket(this.#address, LIMITS.balancer.connectTimeoutMs);
    const connection = new Connection(socket, (freed) => this.release(freed));
    socket.once('close', () => {
      this.#idle = this.#idle.filter((one) => one !== connection);
    });
    return connection;
  }
}

function openSocket(address: Address, timeoutMs: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const options = 'socketPath' in address ? { path: address.socketPath } : address;
    const socket = connect({ ...options, noDelay: true, autoSelectFamily: false });
    const timer = setTimeout(() => {
      const late = new Error(`no connection within ${timeoutMs} ms`);
      socket.destroy(Object.assign(late, { code: 'ETIMEDOUT' }));
    }, timeoutMs);
    // Stays for good: an error nobody listens to would end the process.
    socket.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    socket.once('connect', () => {
      clearTimeout(timer);
      resolve(socket);
    });
  });
}
