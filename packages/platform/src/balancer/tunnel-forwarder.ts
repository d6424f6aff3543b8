// Carries a WebSocket handshake to an upstream; when the app agrees, moves bytes until either end
// closes, or the grace of a drain is over.
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import type { Duplex } from 'node:stream';
import { LIMITS } from '../domain/limits.ts';
import type { Connection } from './connection-pool.ts';
import type { Forwarder, Outcome } from './exchange.ts';
import { responseHeaders } from './headers.ts';
import { reasonOf } from './upstream-error.ts';
import type { Flight, Target } from './target.ts';
import type { TunnelExchange } from './tunnel-exchange.ts';

export class TunnelForwarder implements Forwarder {
  readonly #exchange: TunnelExchange;

  constructor(exchange: TunnelExchange) {
    this.#exchange = exchange;
  }

  async forward(target: Target): Promise<Outcome> {
    let cut = (): void => undefined;
    const flight: Flight = { kind: 'tunnel', cut: () => cut() };
    target.begin(flight);
    try {
      const connection = await target.connections.acquire(0);
      cut = () => connection.socket.destroy();
      if (target.withdrawn || this.#exchange.ended.aborted) {
        connection.socket.destroy();
        return { kind: 'not-sent', reason: 'The instance was replaced.' };
      }
      return await this.#shakeHands(connection);
    } catch (error) {
      return { kind: 'not-sent', reason: reasonOf(error) };
    } finally {
      target.end(flight);
    }
  }

  async #shakeHands(connection: Connection): Promise<Outcome> {
    const exchange = this.#exchange;
    const startedMs = performance.now();
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    const upstream = this.#ask(connection);
    const leave = (): void => {
      connection.socket.destroy();
      resolve({ kind: 'done' });
    };
    const patience = setTimeout(() => {
      resolve({ kind: 'timeout' });
      connection.socket.destroy();
    }, LIMITS.balancer.responseTimeoutMs);
    const answered = (answer: IncomingMessage, hopByHop: readonly string[]): void => {
      clearTimeout(patience);
      exchange.trace.upstreamMs = performance.now() - startedMs;
      const headers = [...responseHeaders(answer.rawHeaders, exchange.requestId), ...hopByHop];
      exchange.writeHead(answer.statusCode ?? 502, answer.statusMessage, headers);
    };
    upstream.once('error', (error) => {
      if (exchange.answered) leave();
      else resolve({ kind: 'no-response', reason: reasonOf(error), stale: false, reset: false });
    });
    upstream.once('upgrade', (answer, socket, early) => {
      answered(answer, ['Connection', 'Upgrade', 'Upgrade', answer.headers.upgrade ?? 'websocket']);
      void this.#tunnel(socket, early).then(leave);
    });
    upstream.once('response', (answer) => {
      answered(answer, ['Connection', 'close']);
      this.#passRefusal(answer, leave);
    });
    exchange.ended.addEventListener('abort', leave, { once: true });
    const outcome = await promise;
    exchange.ended.removeEventListener('abort', leave);
    clearTimeout(patience);
    return outcome;
  }

  #ask(connection: Connection): ClientRequest {
    const exchange = this.#exchange;
    const upgrade = exchange.header('upgrade') ?? 'websocket';
    const headers = [...exchange.headersFor({ kind: 'none' }), 'Connection', 'Upgrade'];
    const upstream = request({
      agent: connection.agent,
      method: exchange.method,
      path: exchange.head.target,
      headers: [...headers, 'Upgrade', upgrade],
      setHost: false,
    });
    upstream.end();
    return upstream;
  }

  /** Resolves when both directions are over; a half-closed one lets the other finish. */
  async #tunnel(upstream: Duplex, early: Buffer): Promise<void> {
    const client = this.#exchange.socket;
    upstream.on('error', () => upstream.destroy());
    // Before anybody listens: a flowing stream would hand it to the first listener alone.
    if (early.length > 0) upstream.unshift(early);
    upstream.write(this.#exchange.early);
    upstream.pipe(client);
    client.pipe(upstream);
    upstream.on('data', (chunk: Buffer) => {
      this.#exchange.bytesSent += chunk.length;
    });
    const { promise: over, resolve } = Promise.withResolvers<void>();
    upstream.once('close', () => {
      // What the app said last is still on its way to the client.
      if (client.destroyed) resolve();
      else client.end(resolve);
    });
    client.once('close', () => {
      upstream.destroy();
      resolve();
    });
    await over;
  }

  /** The app said no: its answer goes on as it is, ended by the end of the connection. */
  #passRefusal(answer: IncomingMessage, done: () => void): void {
    const { socket } = this.#exchange;
    answer.on('error', () => socket.destroy());
    answer.on('data', (chunk: Buffer) => {
      this.#exchange.bytesSent += chunk.length;
    });
    answer.pipe(socket);
    answer.once('close', () => {
      if (!answer.complete) socket.destroy();
      done();
    });
  }
}
