// The platform's own PostgreSQL: one cluster, run like any instance, in which every app that asks
// for a database has a role and a database of its own.
import type { Client } from 'pg';
import { LIMITS } from '../../domain/limits.ts';
import type { MigrationName } from '../../domain/release.ts';
import { KeyedMutex } from '../../lib/mutex.ts';
import type { Clock } from '../../ports/clock.ts';
import type { InstanceSpec, ServiceLink } from '../../ports/runner.ts';
import type { ServiceApp, ServiceHealth, ServiceKind } from '../../ports/service-kind.ts';
import { generatePassword } from '../password.ts';
import { waitUntilHealthy } from '../wait-until-healthy.ts';
import { closeAppDatabase, dropAppDatabase, openAppDatabase } from './app-database.ts';
import { readAppliedMigrations } from './applied-migrations.ts';
import { withSession, type SessionTarget } from './client.ts';
import { clusterInstance, type ClusterOptions } from './cluster.ts';
import { connectionLimit } from './connection-limit.ts';
import type { PostgresqlCredentials } from './credentials.ts';
import { databaseEnvironment } from './environment.ts';
import { ADMIN_DATABASE, ADMIN_ROLE, appIdentifier } from './identifiers.ts';
import { askReadiness } from './readiness.ts';

export const POSTGRESQL_HOSTNAME = 'postgres.internal';

const ADMIN_BOUNDS = { timeoutMs: 30_000, receivedBytesMax: 1024 * 1024 };
const READINESS_TIMEOUT_MS = 2_000;

export interface PostgresqlDependencies {
  readonly clock: Clock;
  readonly cluster: ClusterOptions;
}

export class SharedPostgresql implements ServiceKind<PostgresqlCredentials> {
  readonly kind = 'postgresql';
  readonly #clock: Clock;
  readonly #cluster: ClusterOptions;
  readonly #perApp = new KeyedMutex();

  constructor({ clock, cluster }: PostgresqlDependencies) {
    this.#clock = clock;
    this.#cluster = cluster;
  }

  instances(): readonly InstanceSpec[] {
    return [clusterInstance(this.#cluster)];
  }

  async health(): Promise<ServiceHealth> {
    return await askReadiness(
      { host: this.#cluster.ipv6, port: this.#cluster.port },
      READINESS_TIMEOUT_MS,
    );
  }

  async waitUntilHealthy(signal: AbortSignal): Promise<void> {
    await waitUntilHealthy({
      name: 'PostgreSQL',
      look: () => this.health(),
      timeoutMs: LIMITS.postgresql.startTimeoutMs,
      hint: 'tandem status\ntandem doctor',
      log: this.#cluster.logPath,
      clock: this.#clock,
      signal,
    });
  }

  link(): ServiceLink {
    return {
      hostname: POSTGRESQL_HOSTNAME,
      ipv6: this.#cluster.ipv6,
      port: this.#cluster.port,
    };
  }

  async attach(app: ServiceApp, known?: PostgresqlCredentials): Promise<PostgresqlCredentials> {
    const name = appIdentifier(app.appId);
    const password = known?.password ?? generatePassword();
    const credentials = { role: name, database: name, password };
    await this.#asAdmin(app.appId, (admin) =>
      openAppDatabase(admin, { credentials, connectionLimit: connectionLimit(app) }),
    );
    return credentials;
  }

  environment(credentials: PostgresqlCredentials): Readonly<Record<string, string>> {
    return databaseEnvironment(credentials, this.link());
  }

  async detach(appId: number): Promise<void> {
    await this.#asAdmin(appId, (admin) => closeAppDatabase(admin, appId));
  }

  async destroy(appId: number): Promise<void> {
    await this.#asAdmin(appId, (admin) => dropAppDatabase(admin, appId));
  }

  /** Undefined when the app's database has no table of Django's migrations. */
  async appliedMigrations(
    credentials: PostgresqlCredentials,
  ): Promise<MigrationName[] | undefined> {
    const { role, database, password } = credentials;
    return await readAppliedMigrations(this.#target(role, database, password));
  }

  async #asAdmin(appId: number, work: (admin: Client) => Promise<void>): Promise<void> {
    const target = this.#target(ADMIN_ROLE, ADMIN_DATABASE, this.#cluster.adminPassword);
    await this.#perApp.run(String(appId), () => withSession(target, ADMIN_BOUNDS, work));
  }

  #target(user: string, database: string, password: string): SessionTarget {
    return { host: this.#cluster.ipv6, port: this.#cluster.port, user, password, database };
  }
}
