// The route table as nexus publishes it and balancers hold it: for each app, its routes. An epoch
// grows by one with each change; a balancer acknowledges an epoch once no request will start on
// anything that this epoch no longer names.
import type { CertificatePair } from './certificate/certificate-pair.ts';

import type { RoutePolicy, Stickiness } from './route-policy.ts';

export interface Upstream {
  readonly instanceId: string;
  readonly address: string;
  readonly port: number;
  /** Idle time after which the server closes a connection, if we know it (our servers: 75 s). */
  readonly keepAliveMs?: number;
}

/** Other upstreams of a route that take a share of its requests: a release on trial. */
export interface Canary {
  /** From 0 to 1. */
  readonly weight: number;
  readonly upstreams: readonly Upstream[];
  /** Who was sent there once is sent there again; absent: each request is drawn anew. */
  readonly sticky?: Stickiness;
}

export type RouteTarget =
  | {
      readonly kind: 'upstreams';
      readonly upstreams: readonly Upstream[];
      readonly canary?: Canary;
    }
  /** Files of a code layer, served by the node's static server; see adapters/nginx. */
  | {
      readonly kind: 'static';
      /** Code layer whose tree is looked up first. */
      readonly layerSha256: string;
      /** Directory inside the layer, for example `/static`. */
      readonly directory: string;
      /** This one of it, whatever the path asks for. */
      readonly file?: string;
      /** How long browsers keep what has no hash in its name; absent: they ask each time. */
      readonly expiresS?: number;
      /** A site: index.html for directories, 404.html for what is not there. */
      readonly isSite?: boolean;
      /** And its index.html for what looks like a page. */
      readonly isSinglePage?: boolean;
    }
  /** Files that the app wrote, on its volume: `app+media`, `app+instance/uploads`. */
  | { readonly kind: 'volume'; readonly directory: string }
  /** Requests wait until the table changes or `untilMs` (wall clock) passes. */
  | { readonly kind: 'hold'; readonly untilMs: number }
  /** Nothing can answer: 503 with this reason on the page. */
  | { readonly kind: 'unavailable'; readonly reason: string };

export interface Route {
  /** Lower case, without port: `a.example`, or `*.example` for every name below. */
  readonly host: string;
  /** Prefix that starts and, but for `/`, ends with a slash; with `isExact` a whole path. */
  readonly path: string;
  readonly isExact?: boolean;
  readonly target: RouteTarget;
  /** Counts key by key before that of the app. */
  readonly policy?: RoutePolicy;
}

/** Replaces everything known of this app; no routes: the app is gone. */
export interface AppRoutes {
  readonly appId: number;
  readonly appName: string;
  readonly routes: readonly Route[];
  /** Of all its routes. */
  readonly policy?: RoutePolicy;
}

/**
 * What a certificate authority looks for at a balancer to see that a name is ours: answered before
 * any route of the host, and also where no route has it. See ports/certificate-authority.ts.
 */
export type BalancerChallenge =
  | {
      readonly kind: 'http-01';
      readonly host: string;
      readonly token: string;
      readonly content: string;
    }
  | { readonly kind: 'tls-alpn-01'; readonly host: string; readonly certificate: CertificatePair };

export interface RouteSnapshot {
  readonly epoch: number;
  readonly apps: readonly AppRoutes[];
  /** Absent: none. */
  readonly challenges?: readonly BalancerChallenge[];
}

/** One of the two. */
export interface RouteUpdate {
  readonly epoch: number;
  readonly app?: AppRoutes;
  /** All there are; empty: none any more. */
  readonly challenges?: readonly BalancerChallenge[];
}
