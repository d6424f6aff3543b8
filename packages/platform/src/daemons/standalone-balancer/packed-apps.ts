// Apps on their way to a worker: what many routes lead to travels once, and is one object there too.
import type { AppRoutes, Route, RouteTarget } from '../../domain/route-table.ts';

export interface PackedApp extends Omit<AppRoutes, 'routes'> {
  readonly targets: readonly RouteTarget[];
  /** With the index of its target. */
  readonly routes: readonly (Omit<Route, 'target'> & { readonly to: number })[];
}

export function packApps(apps: readonly AppRoutes[]): PackedApp[] {
  return apps.map((app) => {
    const indexes = new Map<RouteTarget, number>();
    const routes = app.routes.map(({ target, ...place }) => {
      const to = indexes.get(target) ?? indexes.size;
      indexes.set(target, to);
      return { ...place, to };
    });
    return { ...app, targets: [...indexes.keys()], routes };
  });
}

export function unpackApps(packed: readonly PackedApp[]): AppRoutes[] {
  return packed.map(({ targets, ...app }) => ({
    ...app,
    routes: app.routes.map(({ to, ...place }) => {
      const target = targets[to];
      if (!target) throw new Error(`route ${place.host}${place.path} leads nowhere`);
      return { ...place, target };
    }),
  }));
}
