// Between the parent of a standalone balancer and its workers, over Node's IPC channel.
import type { ProxyProtocol, ServedCertificate } from '../../balancer/index.ts';
import type { ProcessUser } from '../../lib/privileges.ts';
import type { PackedApp } from './packed-apps.ts';

export type AccessLogTarget =
  { readonly kind: 'off' } | { readonly kind: 'stdout' } | { readonly kind: 'file'; path: string };

/** Inherited; the number is the reader's. */
export interface ListenFd {
  readonly fd: number;
  readonly isTls: boolean;
}

export interface TlsMessage {
  readonly certificates: readonly ServedCertificate[];
  /** Base64. */
  readonly ticketKeys: string;
}

export type ToWorker =
  /** The first one: all that a worker needs to begin. */
  | {
      readonly type: 'serve';
      readonly listenFds: readonly ListenFd[];
      readonly user: ProcessUser | undefined;
      readonly trustedPeers: readonly string[];
      readonly proxyProtocol: ProxyProtocol;
      readonly accessLog: AccessLogTarget;
      readonly apps: readonly PackedApp[];
      readonly tls: TlsMessage | undefined;
    }
  /** All of it, whatever changed. */
  | ({ readonly type: 'tls' } & TlsMessage)
  /** Only what changed; answered with `applied`. */
  | { readonly type: 'routes'; readonly apps: readonly PackedApp[] }
  | { readonly type: 'reopen-log' }
  /** Finish what is under way and exit; the second time, at once. */
  | { readonly type: 'close' };

export type FromWorker =
  | { readonly type: 'serving' }
  /** The routes of the last message are in use. */
  | { readonly type: 'applied' }
  | { readonly type: 'failed'; readonly reason: string };
