// One balancer worker, put together: the feed fills the table, the server answers by it.
import type { ListenOptions } from 'node:net';
import type { TransportClient } from '../ports/transport.ts';
import { AccessLog } from './access-log.ts';
import { TrustedPeers } from './client-origin.ts';
import { Drain, type DrainGrace } from './drain.ts';
import { RouteFeed } from './route-feed.ts';
import { RouteFile } from './route-file.ts';
import { Router } from './router.ts';
import { BalancerServer, type CloseGrace, type ProxyProtocol } from './server.ts';
import { staticTarget } from './static-target.ts';
import { CertificateFeed } from './tls/certificate-feed.ts';
import { CertificateShelf } from './tls/certificate-shelf.ts';
import { TlsChallenges } from './tls/tls-challenges.ts';

export interface BalancerOptions {
  /** Its schemas must include BALANCER_MESSAGES. */
  readonly transport: TransportClient;
  /** The same after a restart, so the nexus knows that the one before is gone. */
  readonly name: string;
  readonly pid: number;
  readonly pidStartTicks: number;
  /** Keeps the last table. */
  readonly stateFile: string;
  /** Keeps the last certificates; absent: no TLS. */
  readonly certificateFile?: string;
  /** Absent where no static server runs. */
  readonly staticSocket?: string;
  /** Addresses and CIDR ranges whose X-Forwarded-* is believed. */
  readonly trustedPeers?: readonly string[];
  readonly proxyProtocol?: ProxyProtocol;
  readonly drainGrace?: DrainGrace;
  readonly log: (line: string) => void;
}

type ListenPlace = ListenOptions & { readonly fd?: number };

export class Balancer {
  readonly #feed: RouteFeed;
  readonly #certificateFeed: CertificateFeed | undefined;
  readonly #server: BalancerServer;
  readonly #accessLog: AccessLog;

  constructor(options: BalancerOptions) {
    const { transport, name, log, staticSocket } = options;
    const drain = new Drain(options.drainGrace);
    const router = new Router({
      drain,
      staticServer: staticSocket === undefined ? undefined : staticTarget(staticSocket),
    });
    const { table } = router;
    const file = new RouteFile({
      path: options.stateFile,
      takeSnapshot: () => table.snapshot(),
      log,
    });
    const { pid, pidStartTicks } = options;
    this.#feed = new RouteFeed({
      ...{ transport, table, drain, file, log },
      ...{ balancer: name, pid, pidStartTicks },
    });
    this.#accessLog = new AccessLog(transport, name);
    const shelf = new CertificateShelf({ log });
    const path = options.certificateFile;
    this.#certificateFeed =
      path === undefined ? undefined : new CertificateFeed({ transport, shelf, path, log });
    const tlsChallenges = new TlsChallenges(shelf);
    router.onTlsChallenges = (challenges) => tlsChallenges.set(challenges);
    this.#server = new BalancerServer({
      router,
      peers: new TrustedPeers(options.trustedPeers ?? []),
      proxyProtocol: options.proxyProtocol ?? 'off',
      ...(path !== undefined && { certificates: shelf }),
      onAccess: (record) => this.#accessLog.record(record),
      log,
    });
  }

  get port(): number | undefined {
    return this.#server.port;
  }

  /** Listens only once there is a table, or none can be had. `tlsWhere` needs a certificate file. */
  async start(where: ListenPlace, tlsWhere?: ListenPlace): Promise<void> {
    await Promise.all([this.#feed.start(), this.#certificateFeed?.start()]);
    await this.#server.listen(where);
    if (tlsWhere) await this.#server.listenTls(tlsWhere);
  }

  /** Bounded by `grace`. */
  async close(grace?: CloseGrace): Promise<void> {
    await this.#server.close(grace);
    this.#accessLog.flush();
    await this.#feed.stop();
    await this.#certificateFeed?.stop();
  }
}
