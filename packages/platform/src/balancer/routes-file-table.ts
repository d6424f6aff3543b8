// What the routes file said last, as apps with numbers, and what a new reading changes of it.
import { isDeepStrictEqual } from 'node:util';
import type { AppRoutes } from '../domain/route-table.ts';
import type { RouteGroup } from './routes-file-groups.ts';

const placeOf = ({ routes, policy }: AppRoutes): Pick<AppRoutes, 'routes' | 'policy'> => ({
  routes,
  ...(policy && { policy }),
});

export class RoutesFileTable {
  #apps = new Map<string, AppRoutes>();
  #lastId = 0;

  get apps(): AppRoutes[] {
    return [...this.#apps.values()];
  }

  /** Returns only what is different now; without routes what is gone. */
  replace(groups: readonly RouteGroup[]): AppRoutes[] {
    const before = this.#apps;
    const gone = new Map([...before.values()].map((app) => [app.appId, app]));
    const changed: AppRoutes[] = [];
    const predecessors = this.#predecessors(groups);
    this.#apps = new Map();
    for (const { key, name, routes, policy } of groups) {
      const known = before.get(key) ?? predecessors.get(key);
      if (known) gone.delete(known.appId);
      const place = { routes, ...(policy && { policy }) };
      const same = known !== undefined && isDeepStrictEqual(placeOf(known), place);
      const app = same ? known : { appId: known?.appId ?? this.#nextId(), appName: name, ...place };
      this.#apps.set(key, app);
      if (!same) changed.push(app);
    }
    return [...[...gone.values()].map((app) => ({ ...app, routes: [] })), ...changed];
  }

  /**
   * Of groups with a new key: one that is gone and began with the same host. An upstream more or less
   * is then a change of the same app, which keeps its other upstreams as they are.
   */
  #predecessors(groups: readonly RouteGroup[]): Map<string, AppRoutes> {
    const keys = new Set(groups.map(({ key }) => key));
    const orphans = new Map(
      [...this.#apps].flatMap(([key, app]) => (keys.has(key) ? [] : [[app.appName, app]])),
    );
    const found = new Map<string, AppRoutes>();
    for (const { key, name } of groups) {
      const orphan = this.#apps.has(key) ? undefined : orphans.get(name);
      if (!orphan) continue;
      found.set(key, orphan);
      orphans.delete(name);
    }
    return found;
  }

  #nextId(): number {
    this.#lastId += 1;
    return this.#lastId;
  }
}
