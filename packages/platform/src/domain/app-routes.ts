// From what is known of an app to the routes that balancers hold.
import { LIMITS } from './limits.ts';
import type { BuiltImage, StaticRoute } from './release.ts';
import type { RoutePolicy } from './route-policy.ts';
import type { AppRoutes, Route, RouteTarget, Upstream } from './route-table.ts';
import { placeOnVolume } from './volume.ts';

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
  /** Those of them that browsers are led to by HTTPS, which is at this port. */
  readonly secure?: { readonly hosts: ReadonlySet<string>; readonly port: number };
  /** Absent before the first release. */
  readonly image?: Pick<
    BuiltImage,
    'staticFiles' | 'staticRoutes' | 'media' | 'volume' | 'layers' | 'processTypes'
  >;
  readonly instances: readonly ServingInstance[];
  readonly policy?: RoutePolicy;
  /** Requests wait until then, whatever is ready (an app that is swapped in place). */
  readonly holdUntilMs?: number;
  readonly nowMs: number;
}

type RouteImage = NonNullable<AppRoutesInput['image']>;
type HostlessRoute = Omit<Route, 'host'>;

export function appRoutes(input: AppRoutesInput): AppRoutes {
  const { appId, appName, image } = input;
  if (!image) return { appId, appName, routes: [] };
  const files = fileRoutes(image);
  const isSite = files.some(({ path, isExact }) => path === '/' && !isExact);
  const all = isSite ? files : [{ path: '/', target: dynamicTarget(input) }, ...files];
  const routes = input.hostnames.flatMap((host) => {
    const policy = policyFor(host, input.secure);
    return all.map((route): Route => ({ host, ...route, ...(policy && { policy }) }));
  });
  return { appId, appName, routes, ...(input.policy && { policy: input.policy }) };
}

function policyFor(host: string, secure: AppRoutesInput['secure']): Route['policy'] {
  if (!secure?.hosts.has(host)) return undefined;
  return { redirectToHttps: secure.port === 443 ? {} : { port: secure.port } };
}

/** What the static server answers. */
function fileRoutes(image: RouteImage): HostlessRoute[] {
  const layerSha256 = image.layers.code.sha256;
  const { staticFiles, media, volume } = image;
  const collected = staticFiles
    ? [{ url: staticFiles.urlPrefix, directory: staticFiles.directory }]
    : [];
  const mapped = [...collected, ...(image.staticRoutes ?? [])];
  const layered = mapped.map(({ url, ...place }): HostlessRoute => {
    const target = { kind: 'static' as const, layerSha256, ...place };
    if ('file' in place) return { path: url, isExact: true, target };
    const onVolume = placeOnVolume(volume, place.directory);
    if (onVolume !== undefined)
      return { path: url, target: { kind: 'volume', directory: onVolume } };
    return { path: url, target: url === '/' ? { ...target, isSite: true } : target };
  });
  const place = media && placeOnVolume(volume, media.directory);
  const uploads: HostlessRoute[] =
    media && place ? [{ path: media.urlPrefix, target: { kind: 'volume', directory: place } }] : [];
  // A mapping of the project's own goes before what we found.
  const all = [...layered, ...mapped.flatMap((one) => uploadsWithin(one, volume)), ...uploads];
  return all.filter(
    (one, index) => all.findIndex(({ path, isExact }) => sameUrl(one, path, isExact)) === index,
  );
}

/** Paths of the volume inside a mapped directory: the layer does not have what was written there. */
function uploadsWithin(
  mapping: Pick<StaticRoute, 'url' | 'directory' | 'file'>,
  volume: RouteImage['volume'],
): HostlessRoute[] {
  if (mapping.file !== undefined) return [];
  const inside = `${mapping.directory}/`;
  return (volume?.paths ?? []).flatMap(({ path, isPublic }) => {
    const directory = placeOnVolume(volume, path);
    if (!isPublic || !path.startsWith(inside) || directory === undefined) return [];
    const url = `${mapping.url}${path.slice(inside.length)}/`;
    return [{ path: url, target: { kind: 'volume', directory } }];
  });
}

function sameUrl(route: HostlessRoute, path: string, isExact: boolean | undefined): boolean {
  return route.path === path && (route.isExact ?? false) === (isExact ?? false);
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
