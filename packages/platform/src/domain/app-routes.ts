// From what is known of an app to the routes that balancers hold.
import { LIMITS } from './limits.ts';
import type { BuiltImage } from './release.ts';
import type { AppRoutes, Route, RouteTarget, Upstream } from './route-table.ts';

/** A web instance of the current release that should get traffic. */
export interface ServingInstance {
  readonly instanceId: string;
  /** Present when it is ready. */
  readonly address?: string;
  /** On its way to be ready (again), as opposed to failed for good. */
  readonly coming: boolean;
}

export interface AppRoutesInput {
  readonly appId: number;
  readonly appName: string;
  readonly hostnames: readonly string[];
  /** Absent before the first release. */
  readonly image?: Pick<BuiltImage, 'staticFiles' | 'layers' | 'processTypes'>;
  readonly instances: readonly ServingInstance[];
  /** Requests wait until then, whatever is ready (an app that is swapped in place). */
  readonly holdUntilMs?: number;
  readonly nowMs: number;
}

export function appRoutes(input: AppRoutesInput): AppRoutes {
  const { appId, appName, image } = input;
  if (!image) return { appId, appName, routes: [] };
  const dynamic = dynamicTarget(input);
  const routes = input.hostnames.flatMap((host): Route[] => {
    const web: Route = { host, path: '/', target: dynamic };
    if (!image.staticFiles) return [web];
    const target: RouteTarget = {
      kind: 'static',
      layerSha256: image.layers.code.sha256,
      directory: image.staticFiles.directory,
    };
    return [web, { host, path: image.staticFiles.urlPrefix, target }];
  });
  return { appId, appName, routes };
}

function dynamicTarget(input: AppRoutesInput): RouteTarget {
  if (input.holdUntilMs !== undefined) return { kind: 'hold', untilMs: input.holdUntilMs };
  const web = input.image?.processTypes.web;
  if (!web) return { kind: 'unavailable', reason: 'this app has no web process' };
  const upstreams = input.instances.flatMap((instance): Upstream[] =>
    instance.address === undefined
      ? []
      : [
          {
            instanceId: instance.instanceId,
            address: instance.address,
            port: LIMITS.instance.port,
            ...(web.keepAliveMs === undefined ? {} : { keepAliveMs: web.keepAliveMs }),
          },
        ],
  );
  if (upstreams.length > 0) return { kind: 'upstreams', upstreams };
  if (input.instances.some((instance) => instance.coming)) {
    return { kind: 'hold', untilMs: input.nowMs + LIMITS.hold.timeoutMs };
  }
  return { kind: 'unavailable', reason: 'no process of this app is running' };
}

/** Equal but for the deadline of a hold, which moves with every calculation. */
export function sameRoutes(a: AppRoutes, b: AppRoutes): boolean {
  return JSON.stringify(withoutDeadline(a)) === JSON.stringify(withoutDeadline(b));
}

function withoutDeadline(app: AppRoutes): AppRoutes {
  const routes = app.routes.map((route) =>
    route.target.kind === 'hold'
      ? { ...route, target: { kind: 'hold' as const, untilMs: 0 } }
      : route,
  );
  return { ...app, routes };
}
