// How the routes of a file become apps of the table: those that lead to the same upstreams by the same
// policy share connections, health and counts, however many hosts they are.
import type { RoutePolicy } from '../domain/route-policy.ts';
import type { Route, RouteTarget } from '../domain/route-table.ts';

/** All routes with the same policy and upstreams. */
export interface RouteSet {
  readonly target: RouteTarget;
  readonly routes: Route[];
  readonly policy?: RoutePolicy;
}

/** What is sent together when something of it changes. */
export interface RouteGroup {
  /** Changes with what the group leads to, not with its hosts. */
  readonly key: string;
  /** Its first host. */
  readonly name: string;
  readonly routes: readonly Route[];
  readonly policy?: RoutePolicy;
}

/** A larger set is divided by host: of 100,000 hosts a change of one concerns a few hundred. */
const ROUTES_PER_GROUP = 1_024;

export function groupRoutes(sets: ReadonlyMap<string, RouteSet>): RouteGroup[] {
  return [...sets].flatMap(([key, { routes, policy }]) => {
    // Powers of two, so that a host more or less divides anew only now and then.
    const parts = 2 ** Math.max(0, Math.ceil(Math.log2(routes.length / ROUTES_PER_GROUP)));
    if (parts === 1) return [groupOf(key, routes, policy)];
    const divided = Map.groupBy(routes, ({ host }) => hash(host) & (parts - 1));
    return [...divided].map(([part, some]) => groupOf(`${key} ${part}/${parts}`, some, policy));
  });
}

function groupOf(key: string, routes: readonly Route[], policy?: RoutePolicy): RouteGroup {
  return { key, name: routes[0]?.host ?? '', routes, ...(policy && { policy }) };
}

/** FNV-1a: the same after a restart, evenly spread for names that differ in a digit. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1)
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  return (value ^ (value >>> 15)) >>> 0;
}
