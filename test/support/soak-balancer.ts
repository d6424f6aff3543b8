// Run by a test: a balancer in a process of its own, told over the channel where its routes lead, that
// says what it holds.
import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Upstream } from '../../packages/platform/src/domain/route-table.ts';
import { TestBalancer } from './balancer-server.ts';
import { resourcesNow } from './resources.ts';

/** Without upstreams the routes are gone, and with them all connections to apps. */
export type ToSoakBalancer =
  { readonly type: 'routes'; readonly upstreams: readonly Upstream[] } | { readonly type: 'held' };

export type FromSoakBalancer =
  { readonly type: 'listening'; readonly port: number } | ({ readonly type: 'held' } & Held);

export interface Held {
  /** On the heap and beside it, after garbage collection. */
  readonly bytes: number;
  readonly residentBytes: number;
  readonly descriptors: number;
  /** What keeps the loop alive, by kind. */
  readonly active: Readonly<Record<string, number>>;
  readonly clients: number;
  /** Withdrawn, and not yet free of requests. */
  readonly draining: number;
}

const QUIET_MS_MAX = 8_000;
const COLLECTIONS = 4;

const balancer = new TestBalancer({
  drainGrace: { requestMs: 1_500, tunnelMs: 1_000 },
  limits: { answerStallMs: 2_000, headTimeoutMs: 1_000, bodyIdleTimeoutMs: 1_000 },
});

/** At most this long, however often the routes change. */
const HOLD_MS = 300;

function setRoutes(upstreams: readonly Upstream[]): void {
  const untilMs = Math.ceil((Date.now() + 1) / HOLD_MS) * HOLD_MS;
  const routes = [
    { host: 'a.test', path: '/', target: { kind: 'upstreams', upstreams } as const },
    { host: 'hold.test', path: '/', target: { kind: 'hold', untilMs } as const },
  ];
  balancer.set({ appId: 1, appName: 'app1', routes: upstreams.length > 0 ? routes : [] });
  balancer.access.length = 0;
  balancer.logged.length = 0;
}

/** Once everybody who leaves has left, or after as long as that may take at most. */
async function held(): Promise<Held> {
  const endMs = performance.now() + QUIET_MS_MAX;
  const isBusy = (): boolean =>
    balancer.connectionCount > 0 || balancer.drain.instanceIds.length > 0;
  while (isBusy() && performance.now() < endMs) await sleep(50);
  balancer.access.length = 0;
  // Weak references and finalizers take more than one.
  for (let n = 1; n < COLLECTIONS; n += 1) {
    resourcesNow();
    await sleep(20);
  }
  const { bytes } = resourcesNow();
  return {
    ...{ bytes, residentBytes: process.memoryUsage.rss() },
    descriptors: readdirSync('/proc/self/fd').length,
    active: Object.fromEntries(
      Object.entries(Object.groupBy(process.getActiveResourcesInfo(), (kind) => kind)).map(
        ([kind, all]) => [kind, all?.length ?? 0],
      ),
    ),
    clients: balancer.connectionCount,
    draining: balancer.drain.instanceIds.length,
  };
}

const tell = (message: FromSoakBalancer): void => void process.send?.(message);

process.on('message', (message: ToSoakBalancer) => {
  if (message.type === 'routes') setRoutes(message.upstreams);
  else void held().then((found) => tell({ type: 'held', ...found }));
});
process.on('disconnect', () => process.exit());
await balancer.listen();
tell({ type: 'listening', port: balancer.port });
