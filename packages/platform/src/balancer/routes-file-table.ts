// What the routes file said last, as apps with numbers, and what a new reading changes of it.
import { isDeepStrictEqual } from 'node:util';
import type { AppRoutes } from '../domain/route-table.ts';
import type { RouteGroup } from './routes-file.ts';

export class RoutesFileTable {
  #apps = new Map<string, AppRoutes>();
  #lastId = 0;

  get apps(): AppRoutes[] {
    return [...this.#apps.values()];
  }

  /** Returns only what is different now; without routes what is gone. */
  replace(groups: readonly RouteGroup[]): AppRoutes[] {
    const before = this.#apps;
    this.#apps = new Map();
    const changed: AppRoutes[] = [];
    for (const { key, name, routes } of groups) {
      const known = before.get(key);
      before.delete(key);
      const same = known !== undefined && isDeepStrictEqual(known.routes, routes);
      const app = same ? known : { appId: known?.appId ?? this.#nextId(), appName: name, routes };
      this.#apps.set(key, app);
      if (!same) changed.push(app);
    }
    const gone = [...before.values()].map((app) => ({ ...app, routes: [] }));
    return [...gone, ...changed];
  }

  #nextId(): number {
    this.#lastId += 1;
    return this.#lastId;
  }
}
