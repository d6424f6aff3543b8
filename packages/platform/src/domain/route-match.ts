// Which route a request takes: exact host, else the longest `*.suffix`; then the longest path
// prefix. A look-up costs one map access per label of the host name, however many hosts there are.
import type { AppRoutes, Route } from './route-table.ts';

export interface RouteMatch {
  readonly appId: number;
  readonly appName: string;
  readonly route: Route;
}

/**
 * A Host header as the table spells it: lower case, no port, no trailing dot; an IPv6 literal keeps
 * its brackets. Undefined when it cannot be a host at all.
 */
export function normalizeHost(header: string): string | undefined {
  const match = /^(\[[0-9a-f:.]+\]|[^\s.:/?#@[\]\\][^\s:/?#@[\]\\]*?)\.?(?::\d{0,5})?$/i.exec(
    header,
  );
  const host = match?.[1]?.toLowerCase();
  return host === undefined || host.length > 255 ? undefined : host;
}

/** The port a Host header names, if any. */
export function portOfHost(header: string): number | undefined {
  const port = /:(\d{1,5})$/.exec(header)?.[1];
  return port === undefined ? undefined : Number(port);
}

export class RouteMatcher {
  readonly #apps = new Map<number, AppRoutes>();
  /** `a.example` and `*.example` -> candidates, longest path first. */
  readonly #hosts = new Map<string, RouteMatch[]>();

  get apps(): Iterable<AppRoutes> {
    return this.#apps.values();
  }

  /** Replaces all that is known of the app; without routes it is gone. */
  set(app: AppRoutes): void {
    this.#remove(app.appId);
    if (app.routes.length === 0) return;
    this.#apps.set(app.appId, app);
    for (const route of app.routes) this.#add({ appId: app.appId, appName: app.appName, route });
  }

  has(appId: number): boolean {
    return this.#apps.has(appId);
  }

  /** `host` as normalizeHost gives it; `path` without the query. */
  match(host: string, path: string): RouteMatch | undefined {
    const exact = this.#hosts.get(host);
    if (exact) return longestPrefix(exact, path);
    for (let dot = host.indexOf('.'); dot >= 0; dot = host.indexOf('.', dot + 1)) {
      const below = this.#hosts.get(`*${host.slice(dot)}`);
      if (below) return longestPrefix(below, path);
    }
    return undefined;
  }

  #add(match: RouteMatch): void {
    const candidates = this.#hosts.get(match.route.host) ?? [];
    candidates.push(match);
    candidates.sort(
      // Of two apps that claim the same place the older one keeps it; the nexus prevents this.
      (a, b) => b.route.path.length - a.route.path.length || a.appId - b.appId,
    );
    this.#hosts.set(match.route.host, candidates);
  }

  #remove(appId: number): void {
    const known = this.#apps.get(appId);
    if (!known) return;
    this.#apps.delete(appId);
    for (const { host } of known.routes) {
      const others = (this.#hosts.get(host) ?? []).filter((match) => match.appId !== appId);
      if (others.length > 0) this.#hosts.set(host, others);
      else this.#hosts.delete(host);
    }
  }
}

function longestPrefix(candidates: readonly RouteMatch[], path: string): RouteMatch | undefined {
  for (const match of candidates) {
    const { route } = match;
    if (route.isExact ? path === route.path : path.startsWith(route.path)) return match;
  }
  return undefined;
}
