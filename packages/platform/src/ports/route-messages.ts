// Messages between nexus and balancers, with their schemas. State, not events: a hello says all a
// balancer has to tell (what it acknowledges, what it still drains), so a lost one heals by the next.
import * as v from 'valibot';
import type { AppRoutes, BalancerChallenge, RouteSnapshot } from '../domain/route-table.ts';
import { CanaryEntries, PolicyMessage } from './route-policy-schema.ts';

export const ROUTES_TOPIC = 'routes';
/** A hello goes out at each change and at least this often. */
export const HELLO_INTERVAL_MS = 2_000;
/** Without a hello for this long a balancer no longer counts as live. */
export const LIVE_MS = 6_000;

const Upstream = v.object({
  instanceId: v.string(),
  address: v.string(),
  port: v.number(),
  keepAliveMs: v.optional(v.number()),
});

const RouteTargetSchema = v.variant('kind', [
  v.object({
    kind: v.literal('upstreams'),
    upstreams: v.array(Upstream),
    canary: v.optional(v.object({ ...CanaryEntries, upstreams: v.array(Upstream) })),
  }),
  v.object({
    kind: v.literal('static'),
    layerSha256: v.string(),
    directory: v.string(),
    file: v.optional(v.string()),
    expiresS: v.optional(v.number()),
    isSite: v.optional(v.boolean()),
    isSinglePage: v.optional(v.boolean()),
  }),
  v.object({ kind: v.literal('volume'), directory: v.string() }),
  v.object({ kind: v.literal('hold'), untilMs: v.number() }),
  v.object({ kind: v.literal('unavailable'), reason: v.string() }),
]);

const AppRoutesSchema = v.object({
  appId: v.number(),
  appName: v.string(),
  routes: v.array(
    v.object({
      host: v.string(),
      path: v.string(),
      isExact: v.optional(v.boolean()),
      target: RouteTargetSchema,
      policy: v.optional(PolicyMessage),
    }),
  ),
  policy: v.optional(PolicyMessage),
}) as unknown as v.GenericSchema<unknown, AppRoutes>;

export const Pem = v.pipe(v.string(), v.startsWith('-----BEGIN '));

const ChallengesSchema = v.array(
  v.variant('kind', [
    v.object({
      kind: v.literal('http-01'),
      host: v.string(),
      token: v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{1,256}$/)),
      content: v.pipe(v.string(), v.maxLength(1024)),
    }),
    v.object({
      kind: v.literal('tls-alpn-01'),
      host: v.string(),
      certificate: v.object({ chainPem: Pem, privateKeyPem: Pem }),
    }),
  ]),
) as v.GenericSchema<unknown, BalancerChallenge[]>;

export const RouteSnapshotSchema = v.object({
  epoch: v.number(),
  apps: v.array(AppRoutesSchema),
  challenges: v.exactOptional(ChallengesSchema),
}) as v.GenericSchema<unknown, RouteSnapshot>;

/** Tells this process of a balancer from an earlier or later one of the same name. */
const BalancerProcess = {
  balancer: v.string(),
  pid: v.number(),
  /** Clock ticks since boot; see lib/boot-id.ts. */
  pidStartTicks: v.number(),
};

export const BalancerHello = v.object({
  type: v.literal('balancer.hello'),
  ...BalancerProcess,
  /** No request will start on anything that this epoch does not name. */
  epoch: v.number(),
  /** Instances the table names no more that still have requests or tunnels here. */
  draining: v.array(v.string()),
});
export type BalancerHello = v.InferOutput<typeof BalancerHello>;

/** One request, as the log and the statistics see it. */
export const AccessRecordSchema = v.object({
  /** Wall clock at the first byte of the request. */
  atMs: v.number(),
  /** Absent when no route matched. */
  appId: v.optional(v.number()),
  host: v.string(),
  method: v.string(),
  /** With its query, at most LIMITS.balancer.accessPathBytesMax. */
  path: v.string(),
  status: v.number(),
  /** Of the response body. */
  bytes: v.number(),
  durationMs: v.number(),
  /** From the choice of the instance to the first byte of its response. */
  upstreamMs: v.optional(v.number()),
  instanceId: v.optional(v.string()),
  requestId: v.string(),
  clientIp: v.string(),
});
export type AccessRecord = v.InferOutput<typeof AccessRecordSchema>;

export const ROUTE_MESSAGES = {
  'balancer.hello': BalancerHello,
  /** Answer to a hello: where the nexus is; a balancer that is behind takes a snapshot. */
  'balancer.welcome': v.object({ type: v.literal('balancer.welcome'), epoch: v.number() }),
  /** Nothing runs here any more; do not wait for us. */
  'balancer.goodbye': v.object({ type: v.literal('balancer.goodbye'), ...BalancerProcess }),
  'balancer.farewell': v.object({ type: v.literal('balancer.farewell') }),
  'routes.get': v.object({ type: v.literal('routes.get') }),
  'routes.snapshot': v.object({
    type: v.literal('routes.snapshot'),
    snapshot: RouteSnapshotSchema,
  }),
  'routes.update': v.object({
    type: v.literal('routes.update'),
    epoch: v.number(),
    app: v.exactOptional(AppRoutesSchema),
    challenges: v.exactOptional(ChallengesSchema),
  }),
  'access.batch': v.object({
    type: v.literal('access.batch'),
    balancer: v.string(),
    records: v.array(AccessRecordSchema),
    /** Records this balancer had to drop since it started. */
    dropped: v.number(),
  }),
} as const;
