// A balancer worker that serves by a table handed to it, without a nexus.
import type { ListenOptions } from 'node:net';
import type { AppRoutes } from '../domain/route-table.ts';
import type { AccessRecord } from '../ports/route-messages.ts';
import { TrustedPeers } from './client-origin.ts';
import { Drain } from './drain.ts';
import { Router } from './router.ts';
import { BalancerServer, type ProxyProtocol } from './server.ts';
import type { CertificateShelf } from './tls/certificate-shelf.ts';

export interface StandaloneBalancerOptions {
  /** Addresses and CIDR ranges whose X-Forwarded-* is believed. */
  readonly trustedPeers: readonly string[];
  /** What `listenTls` shows. */
  readonly certificates?: CertificateShelf;
  readonly proxyProtocol: ProxyProtocol;
  readonly onAccess: (record: AccessRecord) => void;
  readonly log: (line: string) => void;
}

export class StandaloneBalancer {
  readonly #router = new Router({ drain: new Drain(), staticServer: undefined });
  readonly #makeServer: () => BalancerServer;
  readonly #servers: BalancerServer[] = [];

  constructor({ trustedPeers, ...options }: StandaloneBalancerOptions) {
    const peers = new TrustedPeers(trustedPeers);
    this.#makeServer = () => new BalancerServer({ router: this.#router, peers, ...options });
  }

  /** The whole table, once, before it listens. */
  setRoutes(apps: readonly AppRoutes[]): void {
    this.#router.table.applySnapshot({ epoch: 1, apps });
  }

  /** All of them in one turn of the loop: no request sees half of the change. */
  changeRoutes(apps: readonly AppRoutes[]): void {
    const { table } = this.#router;
    for (const app of apps) table.applyUpdate({ epoch: table.epoch + 1, app });
  }

  async listen(where: ListenOptions & { readonly fd?: number }): Promise<void> {
    const server = this.#makeServer();
    this.#servers.push(server);
    await server.listen(where);
  }

  async listenTls(where: ListenOptions & { readonly fd?: number }): Promise<void> {
    const server = this.#makeServer();
    this.#servers.push(server);
    await server.listenTls(where);
  }

  /** Accepts nothing new from the moment of the call; resolves when all is finished or cut. */
  async close(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.close()));
  }
}
