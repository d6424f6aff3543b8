// Between the parent of a standalone balancer and its workers, over Node's IPC channel.
import type { ProxyProtocol } from '../../balancer/index.ts';
import type { ProcessUser } from '../../lib/privileges.ts';
import type { PackedApp } from './packed-apps.ts';

export type AccessLogTarget =
  { readonly kind: 'off' } | { readonly kind: 'stdout' } | { readonly kind: 'file'; path: string };

export type ToWorker =
  /** The first one: all that a worker needs to begin. */
  | {
      readonly type: 'serve';
      readonly listenFds: readonly number[];
      readonly user: ProcessUser | undefined;
      readonly trustedPeers: readonly string[];
      readonly proxyProtocol: ProxyProtocol;
      readonly accessLog: AccessLogTarget;
      readonly apps: readonly PackedApp[];
    }
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
