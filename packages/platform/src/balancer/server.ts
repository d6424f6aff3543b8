// The listening end: strict HTTP/1.1 from node:http, an exchange for each request, and a stop that
// lets clients finish.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { Server as NetServer, type ListenOptions, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { LIMITS } from '../domain/limits.ts';
import type { AccessRecord } from '../ports/route-messages.ts';
import type { TrustedPeers } from './client-origin.ts';
import { HttpExchange } from './http-exchange.ts';
import { HttpForwarder } from './http-forwarder.ts';
import { badRequest, bodyTooSlow, headTooLarge, type Refusal, renderRefusal } from './refusal.ts';
import type { Router } from './router.ts';
import { TunnelExchange } from './tunnel-exchange.ts';
import { TunnelForwarder } from './tunnel-forwarder.ts';

export interface BalancerServerOptions {
  readonly router: Router;
  readonly peers: TrustedPeers;
  readonly onAccess: (record: AccessRecord) => void;
  readonly log: (line: string) => void;
}

export interface CloseGrace {
  /** For keep-alive clients to send one more request, answered with `Connection: close`. */
  readonly idleMs: number;
  readonly tunnelMs: number;
  /** For requests under way; then everything is cut. */
  readonly requestMs: number;
}

const DEFAULT_CLOSE_GRACE: CloseGrace = {
  idleMs: 1_000,
  tunnelMs: 5_000,
  requestMs: LIMITS.drain.webMs,
};
const CLOSE_POLL_MS = 25;

export class BalancerServer {
  readonly #options: BalancerServerOptions;
  readonly #http: Server;
  readonly #tunnels = new Set<Duplex>();
  /** Requests under way per connection: a parse error must not answer over another answer. */
  readonly #open = new WeakMap<Duplex, number>();
  readonly #responses = new Set<ServerResponse>();
  #closing = false;

  constructor(options: BalancerServerOptions) {
    this.#options = options;
    this.#http = createServer({
      insecureHTTPParser: false,
      requireHostHeader: false,
      joinDuplicateHeaders: false,
      keepAliveTimeout: LIMITS.balancer.keepAliveMs,
      headersTimeout: LIMITS.balancer.headTimeoutMs,
      // Bodies have a bound of their own, on silence; a slow upload may take its time.
      requestTimeout: 0,
      maxHeaderSize: LIMITS.balancer.headBytesMax,
      noDelay: true,
      shouldUpgradeCallback: isWebSocket,
    });
    // Node would drop headers above its own count without a word; request-head.ts refuses them.
    this.#http.maxHeadersCount = 0;
    this.#http.maxConnections = LIMITS.balancer.connectionsMax;
    this.#http.on('request', (request, response) => this.#serve(request, response, false));
    this.#http.on('checkContinue', (request, response) => this.#serve(request, response, true));
    this.#http.on('upgrade', (request, socket, early) => this.#serveTunnel(request, socket, early));
    this.#http.on('connect', (_request, socket) => this.#refuseRaw(socket, badRequest(NO_CONNECT)));
    this.#http.on('clientError', (error, socket) => this.#refuseMalformed(error, socket));
  }

  async listen(where: ListenOptions & { readonly fd?: number }): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#http.once('error', reject);
      this.#http.listen({ backlog: 4_096, ...where }, () => {
        this.#http.off('error', reject);
        this.#http.on('error', (error) => this.#options.log(`listening: ${String(error)}`));
        resolve();
      });
    });
  }

  get port(): number | undefined {
    const address = this.#http.address();
    return typeof address === 'object' ? address?.port : undefined;
  }

  /** Accepts nothing new, finishes what is under way, then cuts the rest. Never rejects. */
  async close(grace: CloseGrace = DEFAULT_CLOSE_GRACE): Promise<void> {
    this.#closing = true;
    for (const response of this.#responses) response.shouldKeepAlive = false;
    const { promise: closed, resolve } = Promise.withResolvers<'closed'>();
    // http.Server.close would end idle connections at once, and with them a request on its way.
    NetServer.prototype.close.call(this.#http, () => resolve('closed'));
    const startedMs = performance.now();
    const elapsed = (): number => performance.now() - startedMs;
    while (elapsed() < grace.requestMs) {
      if ((await Promise.race([closed, sleep(CLOSE_POLL_MS)])) === 'closed') return;
      if (elapsed() >= grace.idleMs) this.#http.closeIdleConnections();
      if (elapsed() >= grace.tunnelMs) this.#cutTunnels();
    }
    this.#options.log(`closing: ${this.#responses.size} requests cut after ${grace.requestMs} ms`);
    this.#cutTunnels();
    this.#http.closeAllConnections();
  }

  #serve(request: IncomingMessage, response: ServerResponse, awaitsContinue: boolean): void {
    const exchange = new HttpExchange(request, response, {
      peers: this.#options.peers,
      awaitsContinue,
    });
    this.#count(request.socket, 1);
    this.#responses.add(response);
    response.once('close', () => {
      this.#count(request.socket, -1);
      this.#responses.delete(response);
      this.#options.onAccess(exchange.accessRecord());
    });
    // `Connection: close` in the answer tells the client to come back by a new connection.
    if (this.#closing) response.shouldKeepAlive = false;
    this.#route(exchange).catch((error: unknown) => {
      this.#options.log(`request ${exchange.requestId}: ${describe(error)}`);
      response.destroy();
    });
  }

  async #route(exchange: HttpExchange): Promise<void> {
    if (exchange.head.refusal) {
      exchange.response.shouldKeepAlive = false;
      exchange.refuse(exchange.head.refusal);
      return;
    }
    await exchange.readSmallBody();
    await this.#options.router.handle(exchange, new HttpForwarder(exchange));
  }

  #serveTunnel(request: IncomingMessage, socket: Duplex, early: Buffer): void {
    const exchange = new TunnelExchange(request, socket, early, this.#options.peers);
    this.#tunnels.add(socket);
    socket.once('close', () => {
      this.#tunnels.delete(socket);
      this.#options.onAccess(exchange.accessRecord());
    });
    if (exchange.head.refusal) {
      exchange.refuse(exchange.head.refusal);
      return;
    }
    this.#options.router.handle(exchange, new TunnelForwarder(exchange)).catch((error: unknown) => {
      this.#options.log(`request ${exchange.requestId}: ${describe(error)}`);
      socket.destroy();
    });
  }

  #refuseMalformed(error: NodeJS.ErrnoException, socket: Duplex): void {
    const pending = this.#open.get(socket) ?? 0;
    if (error.code === 'ECONNRESET' || !socket.writable || pending > 0) {
      socket.destroy();
      return;
    }
    if (error.code === 'HPE_HEADER_OVERFLOW') this.#refuseRaw(socket, headTooLarge);
    else if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') this.#refuseRaw(socket, bodyTooSlow);
    else this.#refuseRaw(socket, badRequest('The request is not valid HTTP.'));
  }

  /** Before there is an exchange. */
  #refuseRaw(socket: Duplex, refusal: Refusal): void {
    const { headers, body } = renderRefusal(refusal, { accept: undefined, requestId: 'none' });
    let head = `HTTP/1.1 ${refusal.status} ${refusal.title}\r\nConnection: close\r\n`;
    for (let index = 0; index + 1 < headers.length; index += 2)
      head += `${headers[index]}: ${headers[index + 1]}\r\n`;
    socket.on('error', () => socket.destroy());
    socket.end(Buffer.concat([Buffer.from(`${head}\r\n`), body]), () => socket.destroy());
  }

  #count(socket: Socket, change: 1 | -1): void {
    this.#open.set(socket, (this.#open.get(socket) ?? 0) + change);
  }

  #cutTunnels(): void {
    for (const socket of this.#tunnels) socket.destroy();
  }
}

const NO_CONNECT = 'This server is no forward proxy.';

/** Any other upgrade (h2c for one) is ignored, as RFC 9110 section 7.8 allows. */
function isWebSocket(request: IncomingMessage): boolean {
  return request.headers.upgrade?.trim().toLowerCase() === 'websocket' && request.method === 'GET';
}

const describe = (error: unknown): string =>
  error instanceof Error ? (error.stack ?? error.message) : String(error);
