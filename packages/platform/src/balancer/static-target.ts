// Files of a code layer or of an app's volume, served by the node's static server. It is told what to serve by headers of
// ours; a client's copies never get there, as the whole head is written anew.
import type { Route, RouteTarget } from '../domain/route-table.ts';
import type { Exchange, Rewrite } from './exchange.ts';
import { Target } from './target.ts';

export const STATIC_METHODS = 'GET, HEAD';
const PASSED_ON = [
  'accept-encoding',
  'if-none-match',
  'if-modified-since',
  'if-range',
  'range',
] as const;

export type StaticRoute = Route & {
  readonly target: Extract<RouteTarget, { kind: 'static' | 'volume' }>;
};

export const isStaticMethod = (method: string): boolean => method === 'GET' || method === 'HEAD';

/** The static server keeps connections for 75 s, see adapters/nginx. */
export const staticTarget = (socketPath: string): Target =>
  new Target('static', { socketPath }, 75_000);

export function staticRewrite(exchange: Exchange, route: StaticRoute, appId: number): Rewrite {
  const conditions = PASSED_ON.flatMap((name) => {
    const value = exchange.header(name);
    return value === undefined ? [] : [name, value];
  });
  return {
    path: pathOf(exchange, route),
    headers: [
      ...['Host', exchange.host ?? 'static', 'X-Request-Id', exchange.requestId],
      ...['X-Tandem-App', String(appId), ...placeOf(route.target)],
      ...conditions,
    ],
  };
}

function pathOf(exchange: Exchange, { path, target }: StaticRoute): string {
  const file = target.kind === 'static' ? target.file : undefined;
  return file === undefined ? `/${exchange.path.slice(path.length)}` : `/${encodeURI(file)}`;
}

function placeOf(target: StaticRoute['target']): string[] {
  if (target.kind === 'volume') return ['X-Tandem-Volume', target.directory];
  const { layerSha256, directory, expiresS, isSite, isSinglePage } = target;
  return [
    ...['X-Tandem-Layer', layerSha256, 'X-Tandem-Directory', directory],
    ...(expiresS === undefined ? [] : ['X-Tandem-Expires', String(expiresS)]),
    ...(isSite ? ['X-Tandem-Site', isSinglePage ? 'single-page' : '1'] : []),
  ];
}
