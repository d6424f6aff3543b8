// A balancer server in this process, its table set by hand: for tests of HTTP itself. Backends are
// real servers on loopback ports.
import { createServer, type IncomingMessage, request, type RequestListener } from 'node:http';
import { connect, createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net';
import { TrustedPeers } from '../../packages/platform/src/balancer/client-origin.ts';
import { Drain, type DrainGrace } from '../../packages/platform/src/balancer/drain.ts';
import { Router } from '../../packages/platform/src/balancer/router.ts';
import {
  BalancerServer,
  type CloseGrace,
  type ProxyProtocol,
} from '../../packages/platform/src/balancer/server.ts';
import { staticTarget } from '../../packages/platform/src/balancer/static-target.ts';
import { CertificateShelf } from '../../packages/platform/src/balancer/tls/certificate-shelf.ts';
import { type BalancerLimits, LIMITS } from '../../packages/platform/src/domain/limits.ts';
import type { RoutePolicy } from '../../packages/platform/src/domain/route-policy.ts';
import type {
  AppRoutes,
  Route,
  RouteTarget,
  Upstream,
} from '../../packages/platform/src/domain/route-table.ts';
import type { AccessRecord } from '../../packages/platform/src/ports/route-messages.ts';

export interface TestBalancerOptions {
  readonly trustedPeers?: readonly string[];
  readonly proxyProtocol?: ProxyProtocol;
  readonly staticSocket?: string;
  readonly drainGrace?: DrainGrace;
  /** In place of those of domain/limits.ts, which are too long to wait for. */
  readonly limits?: Partial<BalancerLimits>;
}

export class TestBalancer {
  readonly router: Router;
  readonly drain: Drain;
  readonly access: AccessRecord[] = [];
  readonly logged: string[] = [];
  readonly shelf = new CertificateShelf({ log: (line: string) => this.logged.push(line) });
  readonly #server: BalancerServer;

  constructor(options: TestBalancerOptions = {}) {
    const { trustedPeers = [], staticSocket, drainGrace, limits = {} } = options;
    const { proxyProtocol = 'off' } = options;
    this.drain = new Drain(drainGrace);
    const staticServer = staticSocket === undefined ? undefined : staticTarget(staticSocket);
    this.router = new Router({
      drain: this.drain,
      staticServer,
      limits: { ...LIMITS.balancer, ...limits },
    });
    this.#server = new BalancerServer({
      router: this.router,
      peers: new TrustedPeers(trustedPeers),
      onAccess: (record: AccessRecord) => this.access.push(record),
      log: (line: string) => this.logged.push(line),
      limits,
      certificates: this.shelf,
      proxyProtocol,
    });
  }

  get port(): number {
    return this.#server.port ?? 0;
  }

  listen(host = '127.0.0.1'): Promise<void> {
    return this.#server.listen({ host, port: 0 });
  }

  get tlsPort(): number {
    return this.#server.tlsPort ?? 0;
  }

  listenTls(): Promise<void> {
    return this.#server.listenTls({ host: '127.0.0.1', port: 0 });
  }

  /** Clients of all kinds. */
  get connectionCount(): number {
    return this.#server.connectionCount;
  }

  close(grace: CloseGrace = { idleMs: 0, tunnelMs: 0, requestMs: 200 }): Promise<void> {
    return this.#server.close(grace);
  }

  set(app: AppRoutes): void {
    const applied = this.router.table.applyUpdate({ epoch: this.router.table.epoch + 1, app });
    if (!applied) throw new Error('the update was not the next one');
  }

  /** One app, one host, one target. */
  route(target: RouteTarget, { host = 'a.test', path = '/', appId = 1 } = {}): void {
    this.set({ appId, appName: `app${appId}`, routes: [{ host, path, target }] });
  }

  /** Likewise, by a policy. */
  guard(upstreams: readonly Upstream[], policy: RoutePolicy): void {
    const target: RouteTarget = { kind: 'upstreams', upstreams };
    this.set({
      ...{ appId: 1, appName: 'app1', policy },
      routes: [{ host: 'a.test', path: '/', target }],
    });
  }

  to(upstreams: readonly Upstream[], more: readonly Route[] = []): void {
    const target: RouteTarget = { kind: 'upstreams', upstreams };
    this.set({
      appId: 1,
      appName: 'app1',
      routes: [{ host: 'a.test', path: '/', target }, ...more],
    });
  }
}

export interface Backend {
  readonly upstream: Upstream;
  readonly port: number;
  /** Connections accepted so far. */
  readonly connections: number;
  close(): Promise<void>;
}

let instances = 0;
const nextInstance = (): string => `i${(instances += 1)}`;

/** An HTTP backend; `keepAliveMs` as its server has it. */
export async function httpBackend(
  respond: RequestListener,
  { keepAliveMs = 75_000, tell = true }: { keepAliveMs?: number; tell?: boolean } = {},
): Promise<Backend> {
  let connections = 0;
  const server = createServer(
    { keepAliveTimeout: keepAliveMs, keepAliveTimeoutBuffer: 0 },
    respond,
  );
  server.on('connection', () => (connections += 1));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    upstream: {
      instanceId: nextInstance(),
      address: '127.0.0.1',
      port,
      ...(tell && { keepAliveMs }),
    },
    get connections() {
      return connections;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** A backend that speaks in bytes. */
export async function rawBackend(onConnection: (socket: Socket) => void): Promise<Backend> {
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createTcpServer((socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    onConnection(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    upstream: { instanceId: nextInstance(), address: '127.0.0.1', port },
    get connections() {
      return connections;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/** A loopback port where nobody listens. */
export async function deadUpstream(): Promise<Upstream> {
  const backend = await rawBackend(() => undefined);
  await backend.close();
  return backend.upstream;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly trailers: IncomingMessage['trailers'];
  readonly body: string;
}

export interface Ask {
  readonly method?: string;
  readonly path?: string;
  readonly host?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

/** One request on a connection of its own. */
export function ask(port: number, options: Ask = {}): Promise<Answer> {
  const { method = 'GET', path = '/', host = 'a.test', headers = {}, body } = options;
  return new Promise((resolve, reject) => {
    const outgoing = request({
      ...{ host: '127.0.0.1', port, method, path, agent: false },
      headers: {
        Host: host,
        ...headers,
        ...(body && { 'Content-Length': Buffer.byteLength(body) }),
      },
    });
    outgoing.on('error', reject);
    outgoing.on('response', (response) => {
      collect(response).then(resolve, reject);
    });
    outgoing.end(body);
  });
}

export function collect(response: IncomingMessage): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    response.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', reject);
    response.on('end', () => {
      const { statusCode: status = 0, headers, trailers } = response;
      resolve({ status, headers, trailers, body: Buffer.concat(chunks).toString() });
    });
  });
}

/** Bytes in, all bytes out until the other end closes or nothing came for `quietMs`. */
export function sendRaw(port: number, bytes: string | Buffer, quietMs = 500): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    let text = '';
    const finish = (): void => {
      socket.destroy();
      resolve(text);
    };
    socket.setTimeout(quietMs, finish);
    socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
    socket.on('error', finish).on('close', finish);
  });
}
