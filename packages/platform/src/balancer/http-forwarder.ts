// Carries one request to one upstream and the answer back, by node:http on both sides.
import type { Connection } from './connection-pool.ts';
import type { Forwarder, Outcome, Rewrite } from './exchange.ts';
import type { HttpExchange } from './http-exchange.ts';
import { HttpTransfer } from './http-transfer.ts';
import type { Flight, Target } from './target.ts';
import { reasonOf } from './upstream-error.ts';

export class HttpForwarder implements Forwarder {
  readonly #exchange: HttpExchange;

  constructor(exchange: HttpExchange) {
    this.#exchange = exchange;
  }

  async forward(
    target: Target,
    { fresh, rewrite }: { readonly fresh: boolean; readonly rewrite?: Rewrite },
  ): Promise<Outcome> {
    let transfer: HttpTransfer | undefined;
    const flight: Flight = { kind: 'request', cut: () => transfer?.cut() };
    target.begin(flight);
    try {
      const connection = await this.#connect(target, fresh);
      if ('kind' in connection) return connection;
      transfer = new HttpTransfer(this.#exchange, connection, rewrite);
      return await transfer.run();
    } finally {
      target.end(flight);
    }
  }

  async #connect(target: Target, fresh: boolean): Promise<Connection | Outcome> {
    const idleMsMax = fresh ? 0 : target.reusableForMs(this.#exchange.repeatable);
    let connection: Connection;
    try {
      connection = await target.connections.acquire(idleMsMax);
    } catch (error) {
      return { kind: 'not-sent', reason: reasonOf(error) };
    }
    // The acknowledged epoch promises that nothing starts on a withdrawn target.
    if (!target.withdrawn && !this.#exchange.ended.aborted) return connection;
    target.connections.release(connection);
    return this.#exchange.ended.aborted
      ? { kind: 'done' }
      : { kind: 'not-sent', reason: 'The instance was replaced.' };
  }
}
