// How soon a route that the nexus changes is served by a worker that holds 100,000 hostnames: the way of
// every deploy. A nexus in this process, the balancer daemon as the supervisor runs it.
import { get } from '../../http.ts';
import { run } from '../../command.ts';
import type { AppRoutes } from '../../../packages/platform/src/domain/route-table.ts';
import { TestPlatform } from '../../../test/support/balancer-process.ts';
import type { Backend } from '../backend.ts';
import type { Bench } from '../bench.ts';
import type { Figure, Reading } from '../figure.ts';
import { inTurns } from '../measure.ts';
import { PROXY_CORE } from '../pinned-processes.ts';

const APPS = 100_000;
const CHANGED = APPS / 2;
const WORKER = 'w';
const MS_MAX = 20;
const TIMEOUT_MS = 30_000;

export async function measureRouteUpdate(bench: Bench): Promise<Figure> {
  const [backend, other] = [await bench.backend, await bench.startBackend('from the other one')];
  const bodies = new Map<Backend, string>();
  for (const each of [backend, other]) {
    bodies.set(each, (await get({ port: each.port, host: hostname(CHANGED) })).body);
  }
  const platform = await startPlatform(backend);
  let next = other;
  const change = async (): Promise<Reading> => {
    const body = bodies.get(next) ?? '';
    const beganMs = performance.now();
    await platform.resolver.setRoutes(routesOf(CHANGED, next));
    await untilBody(platform.port, body);
    next = next === other ? backend : other;
    return { value: performance.now() - beganMs };
  };
  try {
    const readings = await inTurns(bench.rounds, { Tandem: change });
    const name = 'a route changed by the nexus among 100,000 hostnames until it is served';
    return { name, unit: 'ms', readings, targets: [{ of: 'Tandem', atMost: MS_MAX }] };
  } finally {
    await platform.close();
    await bench.processes.stop(other.process);
  }
}

async function startPlatform(backend: Backend): Promise<TestPlatform> {
  const platform = await TestPlatform.create();
  try {
    const resolver = await platform.startNexus([WORKER]);
    for (let app = 0; app < APPS; app += 1) await resolver.setRoutes(routesOf(app, backend));
    await resolver.open();
    const { pid } = await platform.startBalancer(WORKER);
    const core = ['--cpu-list', '--pid', String(PROXY_CORE)];
    await run(['taskset', '--all-tasks', ...core, String(pid)]);
    const { body } = await get({ port: backend.port, host: hostname(CHANGED) });
    await untilBody(platform.port, body);
    return platform;
  } catch (error) {
    await platform.close();
    throw error;
  }
}

async function untilBody(port: number, body: string): Promise<void> {
  const endMs = performance.now() + TIMEOUT_MS;
  while ((await get({ port, host: hostname(CHANGED) })).body !== body) {
    if (performance.now() > endMs) throw new Error(`the route was not served in ${TIMEOUT_MS} ms`);
  }
}

function routesOf(app: number, { port }: Backend): AppRoutes {
  const upstreams = [{ instanceId: `i${app}-${port}`, address: '127.0.0.1', port }];
  const route = {
    host: hostname(app),
    path: '/',
    target: { kind: 'upstreams', upstreams },
  } as const;
  return { appId: app + 1, appName: `app${app}`, routes: [route] };
}

function hostname(app: number): string {
  return `site-${app}.bench.test`;
}
