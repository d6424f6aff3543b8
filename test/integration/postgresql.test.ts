// The shared cluster with a real server: its life, and what survives which end.
import { setTimeout } from 'node:timers/promises';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../packages/platform/src/lib/system-clock.ts';
import { serviceKindContract } from '../../packages/platform/src/ports/service-kind.contract.ts';
import type { PostgresqlCredentials } from '../../packages/platform/src/services/postgresql/index.ts';
import type { ImageStore } from '../../packages/platform/src/ports/image-store.ts';
import { FakeVolumes } from '../../packages/platform/src/runner/fake-volumes.ts';
import { createRunner } from '../../packages/platform/src/runner/runner.ts';
import { createCluster, type TestCluster } from '../support/postgresql-cluster.ts';

let cluster: TestCluster;

beforeAll(async () => {
  cluster = await createCluster();
  await cluster.start();
});

afterAll(async () => {
  await cluster.close();
});

async function within<T>(
  credentials: PostgresqlCredentials,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = await cluster.connectAs(credentials);
  try {
    return await work(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}

serviceKindContract('postgresql', () => ({
  service: cluster.service,
  // One server for all of them, which runs.
  run: async () => undefined,
  use: (credentials) => within(credentials, async (client) => void (await client.query('SELECT'))),
  write: (credentials, value) =>
    within(credentials, async (client) => {
      await client.query('CREATE TABLE note (text text)');
      await client.query('INSERT INTO note VALUES ($1)', [value]);
    }),
  read: (credentials) =>
    within(credentials, async (client) => {
      const { rows } = await client.query<{ name: string | null }>(
        `SELECT to_regclass('note')::text AS name`,
      );
      if (!rows[0]?.name) return undefined;
      return (await client.query<{ text: string }>('SELECT text FROM note')).rows[0]?.text;
    }),
}));

describe('attach', () => {
  it('finishes what a crash between role and database left', async () => {
    const admin = await cluster.connectAsAdmin();
    await admin.query('CREATE ROLE app_50 NOLOGIN');
    await admin.end();
    const credentials = await cluster.service.attach({ appId: 50, formation: {} });
    await within(credentials, (client) => client.query('CREATE TABLE works (id int)'));
  });

  it('mends a database that is open to others', async () => {
    const credentials = await cluster.service.attach({ appId: 51, formation: {} });
    await within(credentials, (client) => client.query('GRANT ALL ON DATABASE app_51 TO PUBLIC'));
    await cluster.service.attach({ appId: 51, formation: {} }, credentials);
    const admin = await cluster.connectAsAdmin();
    const { rows } = await admin.query<{ datacl: string }>(
      `SELECT datacl::text FROM pg_database WHERE datname = 'app_51'`,
    );
    await admin.end();
    expect(rows[0]?.datacl).toBe('{app_51=CTc/app_51}');
  });

  it('raises the connection limit with the formation', async () => {
    const app = { appId: 52, formation: { web: { count: 1, memoryBytes: 1 } } };
    const credentials = await cluster.service.attach(app);
    const larger = { web: { count: 2, memoryBytes: 1 } };
    const limit = () =>
      within(credentials, async (client) => {
        const { rows } = await client.query<{ limit: number }>(
          'SELECT rolconnlimit AS limit FROM pg_roles WHERE rolname = current_user',
        );
        return rows[0]?.limit ?? 0;
      });
    const before = await limit();
    await cluster.service.attach({ appId: 52, formation: larger }, credentials);
    expect(await limit()).toBeGreaterThan(before);
  });

  it('lets trusted extensions in', async () => {
    const credentials = await cluster.service.attach({ appId: 53, formation: {} });
    await within(credentials, async (client) => {
      for (const name of ['citext', 'hstore', 'pg_trgm', 'unaccent', 'pgcrypto', 'bloom']) {
        await client.query(`CREATE EXTENSION ${name}`);
      }
    });
  });

  it('serves projects that insist on TLS', async () => {
    const credentials = await cluster.service.attach({ appId: 54, formation: {} });
    const ssl = { rejectUnauthorized: false };
    const client = await cluster.connectAs(credentials, { ssl });
    const { rows } = await client.query<{ ssl: boolean }>(
      'SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()',
    );
    await client.end();
    expect(rows).toEqual([{ ssl: true }]);
  });
});

describe('destroy', () => {
  it('ends sessions that hold the database open', async () => {
    const credentials = await cluster.service.attach({ appId: 60, formation: {} });
    const client = await cluster.connectAs(credentials);
    await client.query('BEGIN');
    await client.query('CREATE TABLE held (id int)');
    await cluster.service.destroy(60);
    await expect(client.query('SELECT')).rejects.toThrow();
    await expect(cluster.connectAs(credentials)).rejects.toThrow(/authentication failed/);
  });
});

describe('applied migrations', () => {
  const target = async (appId: number) => cluster.service.attach({ appId, formation: {} });
  const table = `CREATE TABLE django_migrations
    (id bigserial, app varchar(255), name varchar(255), applied timestamptz)`;

  it('are undefined before the first migration', async () => {
    expect(await cluster.service.appliedMigrations(await target(70))).toBeUndefined();
  });

  it('come in the order in which they were applied', async () => {
    const credentials = await target(71);
    await within(credentials, async (client) => {
      await client.query(table);
      await client.query(`INSERT INTO django_migrations (app, name)
        VALUES ('shop', '0001_initial'), ('auth', '0001_initial'), ('shop', '0002_price')`);
    });
    expect(await cluster.service.appliedMigrations(credentials)).toEqual([
      'shop.0001_initial',
      'auth.0001_initial',
      'shop.0002_price',
    ]);
  });

  it('give up with an error when the database does not answer', async () => {
    const credentials = { ...(await target(72)), password: 'lost' };
    await expect(cluster.service.appliedMigrations(credentials)).rejects.toMatchObject({
      code: 'SERVICE_FAILED',
      hint: expect.stringContaining('tandem') as string,
    });
  });
});

describe('the server', () => {
  it('stops fast and clean with sessions open', async () => {
    const credentials = await cluster.service.attach({ appId: 80, formation: {} });
    const clients = await Promise.all(
      Array.from({ length: 8 }, () => cluster.connectAs(credentials)),
    );
    await clients[0]?.query('BEGIN');
    const { code, tookMs } = await cluster.stop('SIGINT');
    expect(code).toBe(0);
    expect(tookMs).toBeLessThan(5_000);
    expect(await cluster.service.health()).toMatchObject({ healthy: false });
    await cluster.start();
  });

  it('has every acknowledged row after kill -9 in mid-write', async () => {
    const credentials = await cluster.service.attach({ appId: 81, formation: {} });
    const writer = await cluster.connectAs(credentials);
    await writer.query('CREATE TABLE event (id int PRIMARY KEY, body text)');
    let acknowledged = 0;
    const writing = (async () => {
      for (let id = 1; ; id += 1) {
        await writer.query(`INSERT INTO event VALUES ($1, repeat('x', 2000))`, [id]);
        acknowledged = id;
      }
    })().catch(() => undefined);
    while (acknowledged < 100) await setTimeout(10);
    await cluster.stop('SIGKILL');
    await writing;
    await cluster.start();
    await within(credentials, async (client) => {
      const { rows } = await client.query<{ rows: number; last: number }>(
        'SELECT count(*)::int AS rows, max(id) AS last FROM event',
      );
      expect(rows[0]?.rows).toBe(rows[0]?.last);
      expect(rows[0]?.last).toBeGreaterThanOrEqual(acknowledged);
    });
  });

  it('is held by the runner, which starts it again when it dies', async () => {
    await cluster.stop('SIGINT');
    const runner = createRunner({
      sandbox: cluster.fixture.sandbox,
      imageStore: { has: async () => true } as unknown as ImageStore,
      volumes: new FakeVolumes(),
      clock: systemClock,
      paths: cluster.fixture.paths,
      note: () => undefined,
    });
    await runner.recover();
    runner.apply(cluster.service.instances());
    const state = () => runner.observe()[0]?.state;
    const signal = AbortSignal.timeout(60_000);
    await cluster.service.waitUntilHealthy(signal);
    while (state() !== 'ready') await setTimeout(20, undefined, { signal });
    process.kill(runner.observe()[0]?.pid ?? NaN, 'SIGKILL');
    while (state() === 'ready') await setTimeout(20, undefined, { signal });
    await cluster.service.waitUntilHealthy(signal);
    runner.apply([]);
    while (runner.observe().length > 0) await setTimeout(20, undefined, { signal });
    await runner.close();
    await cluster.start();
  });

  it('never runs twice on one volume', async () => {
    const second = await cluster.startProcess(cluster.fixture.addresses());
    const outcome = await Promise.race([second.exited, setTimeout(1_000, 'waits')]);
    await second.remove();
    expect(outcome).toBe('waits');
    expect(await cluster.service.health()).toMatchObject({ healthy: true });
  });

  it('killed at any time of its first start leaves nothing half-made', async () => {
    const other = await createCluster();
    try {
      for (const afterMs of [20, 80, 150, 300, 500, 700, 900]) {
        const starting = await other.startProcess();
        await setTimeout(afterMs);
        await starting.signal('SIGKILL');
        await starting.remove();
      }
      await other.start();
      expect(await other.filesInVolume()).toEqual(
        expect.not.arrayContaining(['initialising']) as string[],
      );
      await other.service.attach({ appId: 1, formation: {} });
      expect(await other.stop('SIGINT')).toMatchObject({ code: 0 });
    } finally {
      await other.close();
    }
  });
});
