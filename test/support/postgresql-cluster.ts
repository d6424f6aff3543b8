// A shared cluster of its own for a test: the real server from its stack, in the real sandbox. The
// test is the runner.
import { chown, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { systemClock } from '../../packages/platform/src/lib/system-clock.ts';
import {
  gatewayIpv6,
  ipv6Range,
  PLATFORM_UID,
  platformUid,
} from '../../packages/platform/src/domain/installation.ts';
import { LIMITS } from '../../packages/platform/src/domain/limits.ts';
import { volumesDirectory } from '../../packages/platform/src/ports/paths.ts';
import type { InstanceSpec } from '../../packages/platform/src/ports/runner.ts';
import type { SandboxProcess } from '../../packages/platform/src/ports/sandbox.ts';
import { sandboxSpec } from '../../packages/platform/src/runner/sandbox-spec.ts';
import {
  ADMIN_DATABASE,
  ADMIN_ROLE,
} from '../../packages/platform/src/services/postgresql/identifiers.ts';
import {
  generatePassword,
  SharedPostgresql,
  type ClusterOptions,
  type PostgresqlCredentials,
} from '../../packages/platform/src/services/postgresql/index.ts';
import { createSandboxFixture, type SandboxFixture } from './sandbox-fixture.ts';

export class TestCluster {
  readonly fixture: SandboxFixture;
  readonly options: ClusterOptions;
  readonly service: SharedPostgresql;
  #server: SandboxProcess | undefined;
  #starts = 0;

  constructor(fixture: SandboxFixture, options: ClusterOptions) {
    this.fixture = fixture;
    this.options = options;
    this.service = new SharedPostgresql({ clock: systemClock, cluster: options });
  }

  async start(): Promise<void> {
    this.#server = await this.startProcess();
    await this.service.waitUntilHealthy(AbortSignal.timeout(60_000));
  }

  /** A server that nobody waits for; `addresses` differ when another one is running. */
  async startProcess(
    addresses: Pick<InstanceSpec, 'ipv4' | 'ipv6'> = this.options,
  ): Promise<SandboxProcess> {
    const [instance] = this.service.instances();
    if (!instance) throw new Error('the service runs nothing');
    await mkdir(this.volume, { recursive: true, mode: 0o700 });
    await chown(this.volume, instance.uid, instance.uid);
    this.#starts += 1;
    const { ipv4, ipv6 } = addresses;
    return await this.fixture.sandbox.start(
      sandboxSpec(
        { ...instance, ipv4, ipv6 },
        { sandboxId: `${instance.instanceId}-${this.#starts}`, paths: this.fixture.paths },
      ),
    );
  }

  /** Resolves once the server has ended; with its exit status and the time it took. */
  async stop(signal: 'SIGINT' | 'SIGKILL'): Promise<{ code: number; tookMs: number }> {
    const server = this.#server;
    if (!server) throw new Error('no server runs');
    const beganMs = performance.now();
    await server.signal(signal);
    const { code } = await server.exited;
    const tookMs = performance.now() - beganMs;
    await server.remove();
    this.#server = undefined;
    return { code, tookMs };
  }

  get volume(): string {
    return join(volumesDirectory(this.fixture.paths), '0', 'postgresql');
  }

  async filesInVolume(): Promise<string[]> {
    return await readdir(this.volume);
  }

  async connectAs(
    credentials: PostgresqlCredentials,
    overrides: pg.ClientConfig = {},
  ): Promise<pg.Client> {
    const { role: user, database, password } = credentials;
    const client = new pg.Client({
      host: this.options.ipv6,
      port: this.options.port,
      user,
      database,
      password,
      connectionTimeoutMillis: 5_000,
      ...overrides,
    });
    client.on('error', () => undefined);
    try {
      await client.connect();
    } catch (error) {
      await client.end().catch(() => undefined);
      throw error;
    }
    return client;
  }

  async connectAsAdmin(): Promise<pg.Client> {
    const { adminPassword: password } = this.options;
    return await this.connectAs({ role: ADMIN_ROLE, database: ADMIN_DATABASE, password });
  }

  async close(): Promise<void> {
    if (this.#server) await this.stop('SIGKILL');
    await this.fixture.close();
  }
}

export async function createCluster(): Promise<TestCluster> {
  const fixture = await createSandboxFixture('postgresql');
  const { installation, paths } = fixture;
  const { ipv4, ipv6 } = fixture.addresses();
  return new TestCluster(fixture, {
    layers: [fixture.stack],
    major: 15,
    uid: platformUid(installation.slot, PLATFORM_UID.postgresql),
    ipv6,
    ipv4,
    port: 5432,
    adminAddresses: [gatewayIpv6(installation.ipv6Prefix)],
    appRanges: [ipv6Range(installation.ipv6Prefix)],
    adminPassword: generatePassword(),
    memoryBytes: LIMITS.postgresql.memoryBytesMin,
    logPath: join(paths.data, 'logs', 'postgresql.log'),
  });
}
