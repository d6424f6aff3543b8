// A nexus over a real SQLite store and real deploys, with test doubles where a node would be. It can
// be "killed": the next one over the same store is what a new agent is.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DeployStatus, LogLine } from '@tandem/protocol';
import { openSqliteStore } from '../../packages/platform/src/adapters/sqlite-store/sqlite-store.ts';
import { systemClock } from '../../packages/platform/src/lib/system-clock.ts';
import type { ControlBackend } from '../../packages/platform/src/nexus/control/backend.ts';
import { selfSign } from '../../packages/platform/src/adapters/self-signed/self-signed.ts';
import { CertificateKeeper } from '../../packages/platform/src/nexus/certificates/certificate-keeper.ts';
import { settleDomains } from '../../packages/platform/src/nexus/operations/domains.ts';
import { Repository } from '../../packages/platform/src/nexus/documents/repository.ts';
import { validateDocument } from '../../packages/platform/src/nexus/documents/schemas.ts';
import { createOperations } from '../../packages/platform/src/nexus/operations/operations.ts';
import { Deploys } from '../../packages/platform/src/nexus/scheduler/deploys.ts';
import type { NexusContext } from '../../packages/platform/src/nexus/context.ts';
import { InstanceKeeper } from '../../packages/platform/src/nexus/scheduler/instance-keeper.ts';
import { followCertificates } from '../../packages/platform/src/nexus/scheduler/secure-routes.ts';
import { RoutePublisher } from '../../packages/platform/src/nexus/scheduler/route-publisher.ts';
import { openClusterKeys } from '../../packages/platform/src/nexus/secrets/secret-box.ts';
import type { ImageStore } from '../../packages/platform/src/ports/image-store.ts';
import type { LogRequest } from '../../packages/platform/src/ports/log-reader.ts';
import { FakeAuthority } from './fake-authority.ts';
import { FakeBuilder, FakeDatabase, FakeRedis, FakeResolver, FakeRunner } from './fake-node.ts';

const GIB = 1024 ** 3;

const noImages = {
  mounted: async () => [],
  list: async () => [],
  mount: async () => '/nowhere',
} as unknown as ImageStore;

async function* written(lines: readonly LogLine[], { filter }: LogRequest) {
  const { release, process } = filter;
  yield* lines.filter(
    (line) =>
      (release === undefined || line.release === release) &&
      (process === undefined || line.process === process),
  );
}

export class NexusFixture {
  readonly directory: string;
  readonly runner = new FakeRunner();
  readonly builder = new FakeBuilder();
  readonly resolver = new FakeResolver();
  readonly database = new FakeDatabase();
  readonly redis = new FakeRedis();
  readonly authority = new FakeAuthority();
  /** Host -> addresses; what is not in it leads here. */
  readonly dns = new Map<string, string[]>();
  readonly reports: string[] = [];
  /** What processes and builds wrote. */
  readonly logs: LogLine[] = [];
  freeBytes = 8 * GIB;
  repository!: Repository;
  backend!: ControlBackend;
  certificates!: CertificateKeeper;
  #stop = new AbortController();
  readonly #httpsPort: number | undefined;

  private constructor(directory: string, httpsPort: number | undefined) {
    this.directory = directory;
    this.#httpsPort = httpsPort;
  }

  static async start({ httpsPort }: { httpsPort?: number } = {}): Promise<NexusFixture> {
    const fixture = new NexusFixture(await mkdtemp(join(tmpdir(), 'tandem-nexus-')), httpsPort);
    await fixture.open();
    return fixture;
  }

  async open(): Promise<void> {
    const { directory } = this;
    const paths = {
      data: join(directory, 'data'),
      run: join(directory, 'run'),
      stackCache: directory,
    };
    const store = await openSqliteStore({
      path: join(directory, 'store.sqlite'),
      validate: validateDocument,
      clock: systemClock,
    });
    this.repository = new Repository(store);
    const context = {
      installation: {
        schemaVersion: 1 as const,
        name: 'test',
        id: 'abcdef',
        slot: 0,
        ipv6Prefix: 'fd00:1:2:3',
        nodeName: 'n1',
        suffix: 'localhost',
        httpPort: 8080,
        ...(this.#httpsPort !== undefined && { httpsPort: this.#httpsPort }),
      },
      paths,
      clock: systemClock,
      repository: this.repository,
      secrets: await openClusterKeys(join(directory, 'keys')),
      runner: this.runner,
      builder: this.builder,
      imageStore: noImages,
      resolver: this.resolver,
      database: this.database.asService(),
      redis: this.redis.asService(),
      readLogs: (request: LogRequest) => written(this.logs, request),
      protectedLayers: () => [],
      availableMemoryBytes: async () => this.freeBytes,
      isSecure: (host: string) =>
        this.#httpsPort !== undefined && this.certificates.isTrusted(host),
      report: (text: string, error?: unknown) => this.reports.push(`${text} ${String(error)}`),
    };
    this.certificates = this.#keepCertificates(context);
    const routes = new RoutePublisher(context);
    const keeper = new InstanceKeeper(context, routes);
    const deploys = new Deploys({ context, keeper, routes });
    const platform = {
      version: '0',
      components: async () => [],
      memory: async () => ({ platformBytes: 0, roomBytes: 0, totalBytes: 0 }),
      examineMachine: async () => [],
    };
    const { certificates } = this;
    await certificates.load();
    followCertificates({ context, certificates, routes }, this.#stop.signal);
    const operations = { ...context, deploys, keeper, routes, certificates, platform };
    this.backend = createOperations(operations);
    await keeper.refresh();
    await deploys.resume();
    await settleDomains(operations);
    void keeper.run(this.#stop.signal);
    void certificates.run(this.#stop.signal);
  }

  #keepCertificates(context: Omit<NexusContext, 'isSecure'>): CertificateKeeper {
    const { repository, secrets, clock, report } = context;
    const here = ['203.0.113.9'];
    return new CertificateKeeper({
      repository,
      secrets,
      clock,
      report,
      selfSign,
      resolver: {
        addresses: async (host) => this.dns.get(host) ?? here,
        ownAddresses: () => here,
      },
      access: {
        authority: this.authority,
        solver: {
          kinds: ['http-01'],
          present: async () => undefined,
          cleanup: async () => undefined,
        },
      },
      suffix: 'localhost',
      holder: 'n1',
      random: () => 0,
      limits: { retryDelayMsFirst: 50, retryDnsDelayMsMax: 50 },
    });
  }

  /** kill -9 of the agent: nothing it had under way ever goes on. */
  async kill(): Promise<void> {
    this.#stop.abort();
    this.#stop = new AbortController();
    await this.runner.close();
    const frozen = this.repository.store;
    for (const method of ['get', 'list', 'transact'] as const) {
      frozen[method] = () => new Promise<never>(() => undefined);
    }
  }

  async deploy(app = 'bakery'): Promise<number> {
    const target = { app, create: true };
    const archive = await this.backend.prepareDeploy(target);
    await writeFile(archive, 'source');
    return (await this.backend.startDeploy(target, archive)).deploy;
  }

  async finished(deploy: number, app = 'bakery'): Promise<DeployStatus> {
    for (let waitedMs = 0; waitedMs < 10_000; waitedMs += 10) {
      const status = await this.backend.getDeploy(app, deploy);
      if (status.state !== 'running') return status;
      await sleep(10);
    }
    throw new Error(`deploy d${deploy} never finished: ${this.reports.join('; ')}`);
  }

  async live(app = 'bakery'): Promise<DeployStatus> {
    const status = await this.finished(await this.deploy(app), app);
    if (status.state !== 'live') throw new Error(JSON.stringify(status.error));
    return status;
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.repository.store.close().catch(() => undefined);
    await rm(this.directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 });
  }
}

/** Waits until `condition` holds, looking often. */
export async function eventually(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let waitedMs = 0; waitedMs < 10_000; waitedMs += 10) {
    if (await condition()) return;
    await sleep(10);
  }
  throw new Error(`never: ${String(condition)}`);
}
