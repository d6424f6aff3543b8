// Test doubles at the nexus's ports: a runner, a builder, a resolver and a database that do at once
// what the test tells them to.
import type { BuildRequest, Builder } from '../../packages/platform/src/ports/builder.ts';
import type {
  InstanceSpec,
  JobResult,
  JobSpec,
  ObservedInstance,
  Runner,
} from '../../packages/platform/src/ports/runner.ts';
import type { BuiltImage } from '../../packages/platform/src/domain/release.ts';
import type { AppRoutes } from '../../packages/platform/src/domain/route-table.ts';
import type { DatabaseKind } from '../../packages/platform/src/nexus/context.ts';
import type {
  ServiceAttachment,
  ServiceKind,
} from '../../packages/platform/src/ports/service-kind.ts';
import type { Resolver } from '../../packages/platform/src/nexus/resolver/index.ts';

export class FakeRunner implements Runner {
  specs = new Map<string, InstanceSpec>();
  states = new Map<string, ObservedInstance>();
  jobs: JobSpec[] = [];
  /** What becomes of a newly wanted instance; undefined: it stays `starting`. */
  behaviour: (spec: InstanceSpec) => Partial<ObservedInstance> | undefined = () => ({
    state: 'ready',
  });
  job: (spec: JobSpec) => Promise<Partial<JobResult>> = async () => ({
    result: '{"applied": [], "newly": []}',
  });
  #listeners: ((instance: ObservedInstance) => void)[] = [];

  async recover() {
    return undefined;
  }

  apply(desired: readonly InstanceSpec[]) {
    for (const spec of desired) {
      const known = this.specs.has(spec.instanceId);
      this.specs.set(spec.instanceId, spec);
      if (spec.desired === 'stopped') this.#end(spec.instanceId);
      else if (!known) this.#begin(spec);
    }
    const wanted = new Set(desired.map((spec) => spec.instanceId));
    for (const id of [...this.states.keys()]) if (!wanted.has(id)) this.#end(id);
  }

  #begin(spec: InstanceSpec) {
    const outcome = this.behaviour(spec) ?? { state: 'starting' as const };
    this.become(spec.instanceId, outcome);
  }

  become(instanceId: string, outcome: Partial<ObservedInstance>) {
    const spec = this.specs.get(instanceId);
    const observed: ObservedInstance = {
      instanceId,
      state: 'ready',
      restarts: 0,
      ...(outcome.state === 'ready' && spec ? { address: spec.ipv6 } : {}),
      ...outcome,
    };
    this.states.set(instanceId, observed);
    queueMicrotask(() => {
      for (const listener of this.#listeners) listener(observed);
    });
  }

  #end(instanceId: string) {
    if (!this.states.delete(instanceId)) return;
    queueMicrotask(() => {
      for (const listener of this.#listeners)
        listener({ instanceId, state: 'stopped', restarts: 0 });
    });
  }

  observe() {
    return [...this.states.values()];
  }

  onChange(listener: (instance: ObservedInstance) => void) {
    this.#listeners.push(listener);
  }

  async runJob(spec: JobSpec, signal: AbortSignal): Promise<JobResult> {
    this.jobs.push(spec);
    const aborted = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error));
    });
    const outcome = await Promise.race([this.job(spec), aborted]);
    return { exitCode: 0, outOfMemory: false, timedOut: false, result: '', ...outcome };
  }

  async runAttached() {
    return 0;
  }

  async forgetJob() {
    return undefined;
  }

  async volumeUse() {
    return undefined;
  }

  removedVolumes: number[] = [];

  async removeVolume(appId: number) {
    this.removedVolumes.push(appId);
  }

  noteServed() {
    return undefined;
  }

  /** A new agent: the processes are still there, nobody listens to the old one. */
  async close() {
    this.#listeners = [];
  }
}

export class FakeBuilder implements Builder {
  async warmUp() {
    return undefined;
  }

  builds: BuildRequest[] = [];
  build: (request: BuildRequest) => Promise<BuiltImage> = async (request) => {
    this.builds.push(request);
    return image({ code: String(this.builds.length) });
  };

  async detect() {
    return { findings: [], toml: '' };
  }

  async sweep() {
    return undefined;
  }
}

export class FakeResolver implements Resolver {
  epoch = 0;
  apps = new Map<number, AppRoutes>();
  history: AppRoutes[] = [];

  async open() {
    return undefined;
  }

  async setRoutes(app: AppRoutes) {
    this.epoch += 1;
    this.apps.set(app.appId, app);
    this.history.push(app);
    return this.epoch;
  }

  async removeApp(appId: number) {
    this.apps.delete(appId);
    return this.epoch;
  }

  async setChallenges() {
    return this.epoch;
  }

  async waitAcknowledged() {
    return { acknowledged: ['balancer-0'], silent: [] };
  }

  async waitDrained() {
    return undefined;
  }

  balancers() {
    return [];
  }

  snapshot() {
    return { epoch: this.epoch, apps: [...this.apps.values()] };
  }

  /** Instance ids that get requests of this app's root path. */
  serving(appId: number): string[] {
    const target = this.apps.get(appId)?.routes.find((route) => route.path === '/')?.target;
    if (target?.kind !== 'upstreams') return [target?.kind ?? 'none'];
    return target.upstreams.map((upstream) => upstream.instanceId);
  }
}

export class FakeDatabase {
  readonly kind = 'postgresql';
  applied: string[] | undefined;
  destroyed: number[] = [];

  asService(): DatabaseKind {
    return {
      kind: this.kind,
      instances: () => [],
      health: async () => ({ healthy: true, detail: '' }),
      waitUntilHealthy: async () => undefined,
      link: () => ({ hostname: 'postgres.internal', ipv6: 'fd00::5', port: 5432 }),
      attach: async (app) => ({ role: `app_${app.appId}`, password: 'generated' }),
      environment: (credentials) => ({ DATABASE_URL: `postgresql://${credentials.role}` }),
      detach: async () => undefined,
      destroy: async (appId) => {
        this.destroyed.push(appId);
      },
      appliedMigrations: async () => this.applied,
    };
  }
}

/** Each app has a server of its own. */
export class FakeRedis {
  destroyed: number[] = [];
  /** Rejects: the server does not come up. */
  healthy: () => Promise<void> = async () => undefined;
  #addressLast = 0;

  asService(): ServiceKind {
    return {
      kind: 'redis',
      instances: (attached) => attached.map(fakeRedisInstance),
      health: async () => ({ healthy: true, detail: '' }),
      waitUntilHealthy: () => this.healthy(),
      link: ({ ipv6 = '' }) => ({ hostname: 'redis.internal', ipv6, port: 6379 }),
      attach: async (_app, known) => known ?? { ipv6: `fd00::r${(this.#addressLast += 1)}` },
      environment: ({ ipv6 = '' }) => ({ REDIS_URL: `redis://${ipv6}` }),
      detach: async () => undefined,
      destroy: async (appId) => {
        this.destroyed.push(appId);
      },
    };
  }
}

function fakeRedisInstance({ appId, appName, credentials }: ServiceAttachment): InstanceSpec {
  return {
    instanceId: `redis-${appId}`,
    desired: 'running',
    onProbation: false,
    essential: true,
    appId,
    appName,
    uid: 1,
    release: 0,
    processName: 'redis',
    layers: [],
    command: 'redis-server',
    env: {},
    memoryBytes: 1,
    ipv6: credentials['ipv6'] ?? '',
    ipv4: '',
    links: [],
    volumes: [],
    logPath: '',
    stopSignal: 'SIGTERM',
    stopGraceMs: 1,
  };
}

const layer = (name: string) => ({ sha256: name.padEnd(64, '0'), sizeBytes: 1 });

export function image(options: {
  readonly code: string;
  readonly migrations?: readonly string[];
  readonly releaseCommands?: readonly string[];
  readonly workers?: boolean;
  readonly redis?: boolean;
}): BuiltImage {
  return {
    layers: {
      stack: layer('aa'),
      additions: [],
      runtime: layer('bb'),
      code: layer(`c${options.code}`),
    },
    framework: 'django',
    pythonVersion: '3.12.1',
    processTypes: {
      web: { kind: 'web', command: 'gunicorn app', keepAliveMs: 75_000 },
      ...(options.workers ? { worker: { kind: 'worker' as const, command: 'celery' } } : {}),
    },
    releaseCommands: options.releaseCommands ?? [],
    needsDatabase: true,
    ...(options.redis === undefined ? {} : { needsRedis: options.redis }),
    env: {},
    migrations: options.migrations ?? [],
    findings: [],
  };
}
