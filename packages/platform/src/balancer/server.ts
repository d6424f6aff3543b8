// The listening ends, with TLS and without: a connection object for each client, and a stop that lets
// clients finish.
import { createServer, type ListenOptions, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type BalancerLimits, LIMITS } from '../domain/limits.ts';
import type { AccessRecord } from '../ports/route-messages.ts';
import { clock } from './clock.ts';
import { ClientConnection, type ConnectionSurroundings } from './client-connection.ts';
import { NOBODY, Peer, type TrustedPeers } from './client-origin.ts';
import { Deadlines } from './deadlines.ts';
import { ProxiedSocket } from './proxied-socket.ts';
import type { ProxySource } from './proxy-protocol.ts';
import type { Router } from './router.ts';
import type { CertificateShelf } from './tls/certificate-shelf.ts';
import type { TlsListener } from './tls/tls-listener.ts';

export interface BalancerServerOptions {
  readonly router: Router;
  readonly peers: TrustedPeers;
  /** What `listenTls` shows. */
  readonly certificates?: CertificateShelf;
  /** In place of those of domain/limits.ts. */
  readonly limits?: Partial<BalancerLimits>;
  /** `required`: each connection begins with a PROXY header, and comes from a trusted peer. */
  readonly proxyProtocol?: ProxyProtocol;
  readonly onAccess: (record: AccessRecord) => void;
  readonly log: (line: string) => void;
}

export type ProxyProtocol = 'off' | 'required';

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
const BACKLOG = 4_096;
/** A port that is open to others would fill the log. */
const REFUSAL_LOG_INTERVAL_MS = 10_000;

/** A client, whatever it speaks. */
export interface ClientEnd {
  readonly isIdle: boolean;
  readonly isTunnel: boolean;
  /** No more requests than the ones that are here, where the client can be told so. */
  closeSoon(): void;
  destroy(): void;
}

export class BalancerServer {
  readonly #options: BalancerServerOptions;
  readonly #server: Server;
  readonly #limits: BalancerLimits;
  #tls: TlsListener | undefined;
  readonly #connections = new Set<ClientEnd>();
  readonly #surroundings: ConnectionSurroundings;
  #closing = false;
  #refusalLoggedMs = -Infinity;

  constructor(options: BalancerServerOptions) {
    const { router, peers, onAccess } = options;
    const limits = { ...LIMITS.balancer, ...options.limits };
    this.#options = options;
    this.#limits = limits;
    this.#surroundings = {
      ...{ peers, limits, onAccess },
      deadlines: new Deadlines(),
      router,
      isClosing: () => this.#closing,
    };
    const isProxied = options.proxyProtocol === 'required';
    this.#server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) =>
      isProxied ? this.#awaitHeader(socket) : this.#welcome(socket),
    );
    this.#server.maxConnections = limits.connectionsMax;
  }

  /** Client connections of all kinds. */
  get connectionCount(): number {
    return this.#connections.size;
  }

  async listen(where: ListenOptions & { readonly fd?: number }): Promise<void> {
    await this.#open(this.#server, where);
  }

  /** Needs `certificates`. */
  async listenTls(where: ListenOptions & { readonly fd?: number }): Promise<void> {
    const { certificates } = this.#options;
    if (certificates === undefined) throw new Error('a balancer without certificates has no TLS');
    this.#tls ??= await this.#makeTls(certificates);
    await this.#open(this.#tls.server, where);
  }

  get port(): number | undefined {
    return portOf(this.#server);
  }

  get tlsPort(): number | undefined {
    return this.#tls && portOf(this.#tls.server);
  }

  /** Accepts nothing new, finishes what is under way, then cuts the rest. Never rejects. */
  async close(grace: CloseGrace = DEFAULT_CLOSE_GRACE): Promise<void> {
    this.#closing = true;
    this.#tls?.close();
    const closed = Promise.all(this.#servers.map(closeServer)).then(() => 'closed' as const);
    for (const connection of this.#connections) connection.closeSoon();
    const startedMs = performance.now();
    const elapsed = (): number => performance.now() - startedMs;
    while (elapsed() < grace.requestMs) {
      if ((await Promise.race([closed, sleep(CLOSE_POLL_MS)])) === 'closed') return;
      if (elapsed() >= grace.idleMs) this.#cut((connection) => connection.isIdle);
      if (elapsed() >= grace.tunnelMs) this.#cut((connection) => connection.isTunnel);
    }
    const { size } = this.#connections;
    this.#options.log(`closing: ${size} connections cut after ${grace.requestMs} ms`);
    this.#cut(() => true);
    this.#tls?.destroyGreeted();
  }

  get #servers(): readonly Server[] {
    return this.#tls === undefined ? [this.#server] : [this.#server, this.#tls.server];
  }

  /** What it needs is loaded by those who listen so: it takes 15 MB. */
  async #makeTls(shelf: CertificateShelf): Promise<TlsListener> {
    const [{ TlsListener }, { Http2Connection }] = await Promise.all([
      import('./tls/tls-listener.ts'),
      import('./http2/http2-connection.ts'),
    ]);
    const surroundings = this.#surroundings;
    const tls = new TlsListener({
      ...{ shelf, limits: this.#limits },
      onHttp1: (socket) =>
        this.#add(new ClientConnection(socket, surroundings, { isTls: true }), socket),
      onHttp2: (socket) => this.#add(new Http2Connection(socket, surroundings, shelf), socket),
    });
    tls.server.maxConnections = this.#limits.connectionsMax;
    return tls;
  }

  async #open(server: Server, where: ListenOptions & { readonly fd?: number }): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ backlog: BACKLOG, ...where }, () => {
        server.off('error', reject);
        server.on('error', (error) => this.#options.log(`listening: ${String(error)}`));
        resolve();
      });
    });
  }

  #welcome(socket: Socket, peer?: Peer): void {
    clock.tick();
    this.#add(new ClientConnection(socket, this.#surroundings, { peer }), socket);
  }

  #add(connection: ClientEnd, socket: Socket): void {
    this.#connections.add(connection);
    socket.once('close', () => this.#connections.delete(connection));
  }

  #awaitHeader(socket: Socket): void {
    const { peers, deadlines, limits } = this.#surroundings;
    const proxied = new ProxiedSocket(socket, {
      ...{ peers, deadlines, timeoutMs: limits.proxyHeaderTimeoutMs },
      onReady: (source) => {
        this.#connections.delete(proxied);
        this.#welcome(socket, this.#behindProxy(socket, source));
        socket.resume();
      },
      onRefused: (reason) => this.#logRefusal(socket, reason),
    });
    this.#connections.add(proxied);
    socket.once('close', () => this.#connections.delete(proxied));
  }

  /** Whom a proxy does not name may be anybody: what it says of itself counts for nothing. */
  #behindProxy(socket: Socket, source: ProxySource | undefined): Peer {
    const peers = source === undefined ? NOBODY : this.#surroundings.peers;
    return new Peer(source?.ip ?? socket.remoteAddress, { peers, isTls: false });
  }

  #logRefusal(socket: Socket, reason: string): void {
    const nowMs = performance.now();
    if (nowMs - this.#refusalLoggedMs < REFUSAL_LOG_INTERVAL_MS) return;
    this.#refusalLoggedMs = nowMs;
    this.#options.log(`connection of ${socket.remoteAddress ?? 'nobody'} closed: ${reason}`);
  }

  #cut(isMeant: (connection: ClientEnd) => boolean): void {
    for (const connection of this.#connections) if (isMeant(connection)) connection.destroy();
  }
}

function portOf(server: Server): number | undefined {
  const address = server.address();
  return typeof address === 'object' ? address?.port : undefined;
}

/** Resolves when nobody is connected any more; at once when it never listened. */
const closeServer = (server: Server): Promise<void> =>
  new Promise((resolve) => server.close(() => resolve()));
