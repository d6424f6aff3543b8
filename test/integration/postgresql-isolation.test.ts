// A hostile app with the credentials it was given, against the server, its neighbours and us.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PostgresqlCredentials } from '../../packages/platform/src/services/postgresql/index.ts';
import { createCluster, type TestCluster } from '../support/postgresql-cluster.ts';
import type pg from 'pg';

let cluster: TestCluster;
let hostile: PostgresqlCredentials;
let victim: PostgresqlCredentials;
let session: pg.Client;

beforeAll(async () => {
  cluster = await createCluster();
  await cluster.start();
  hostile = await cluster.service.attach({ appId: 1, formation: {} });
  victim = await cluster.service.attach({ appId: 2, formation: {} });
  session = await cluster.connectAs(hostile);
});

afterAll(async () => {
  await session.end().catch(() => undefined);
  await cluster.close();
});

describe('a hostile app cannot connect', () => {
  it.each(['app_2', 'postgres', 'template1', 'template0'])('to database %s', async (database) => {
    await expect(cluster.connectAs({ ...hostile, database })).rejects.toThrow(
      /no pg_hba.conf entry/,
    );
  });

  it('to a neighbour that invites it', async () => {
    const inviting = await cluster.connectAs(victim);
    await inviting.query('GRANT CONNECT ON DATABASE app_2 TO app_1');
    await expect(cluster.connectAs({ ...hostile, database: 'app_2' })).rejects.toThrow(/pg_hba/);
    await inviting.query('REVOKE CONNECT ON DATABASE app_2 FROM app_1');
    await inviting.end();
  });

  it('with a wrong password, an empty one, or as somebody else', async () => {
    const failed = /password authentication failed|must be a string|no password/i;
    await expect(cluster.connectAs({ ...hostile, password: 'wrong' })).rejects.toThrow(failed);
    await expect(cluster.connectAs({ ...hostile, password: '' })).rejects.toThrow(failed);
    await expect(cluster.connectAs({ ...victim, password: hostile.password })).rejects.toThrow(
      failed,
    );
    await expect(
      cluster.connectAs({ role: 'tandem', database: 'app_1', password: hostile.password }),
    ).rejects.toThrow(/password authentication failed|pg_hba/);
  });

  it('for replication', async () => {
    const replication = cluster.connectAs(hostile, { replication: 'true' } as pg.ClientConfig);
    await expect(replication).rejects.toThrow(/pg_hba/);
  });

  it('more often than its limit', async () => {
    const clients: pg.Client[] = [];
    try {
      await expect(
        (async () => {
          for (let count = 0; count < 400; count += 1)
            clients.push(await cluster.connectAs(hostile));
        })(),
      ).rejects.toThrow(/too many connections for role/);
      const neighbour = await cluster.connectAs(victim);
      await neighbour.end();
    } finally {
      await Promise.all(clients.map((client) => client.end()));
    }
  });
});

describe('from the sandbox of an app', () => {
  const psql = async (env: Record<string, string>, linked: boolean) => {
    const { fixture, service } = cluster;
    const { hostname, ipv6, port } = service.link();
    const query = `psql "$DATABASE_URL" -tAc 'SELECT current_user' 2>&1`;
    return await fixture.run(query, {
      network: fixture.addresses(linked ? [{ ipv6, port }] : []),
      hosts: { [hostname]: ipv6 },
      env: {
        PATH: '/usr/lib/postgresql/15/bin:/usr/bin:/bin',
        PGCONNECT_TIMEOUT: '2',
        ...service.environment(victim),
        ...env,
      },
    });
  };

  it('its environment opens its database', async () => {
    expect(await psql({}, true)).toMatchObject({ code: 0, output: 'app_2\n' });
  });

  it('TLS is there for whoever insists', async () => {
    expect(await psql({ PGSSLMODE: 'require' }, true)).toMatchObject({ output: 'app_2\n' });
  });

  it('there is no way to the server without a link', async () => {
    const { code, output } = await psql({}, false);
    expect(code).not.toBe(0);
    expect(output).toMatch(/timeout expired|Connection refused|Network is unreachable/);
  });

  it('the superuser is refused, even with the right password', async () => {
    const { hostname, port } = cluster.service.link();
    const { adminPassword } = cluster.options;
    const DATABASE_URL = `postgresql://tandem:${adminPassword}@${hostname}:${port}/postgres`;
    const { code, output } = await psql({ DATABASE_URL }, true);
    expect(code).not.toBe(0);
    expect(output).toContain('pg_hba.conf rejects connection');
  });
});

describe('a hostile app cannot reach the server behind its database', () => {
  it.each([
    `COPY (SELECT 1) TO PROGRAM 'id'`,
    `CREATE TABLE program_output (line text); COPY program_output FROM PROGRAM 'id'`,
    `CREATE TABLE file_lines (line text); COPY file_lines FROM '/etc/passwd'`,
    `COPY (SELECT 1) TO '/data/stolen'`,
    `SELECT pg_read_file('/data/pg_hba.conf')`,
    `SELECT pg_read_binary_file('/data/server.key')`,
    `SELECT pg_ls_dir('/data')`,
    `SELECT pg_stat_file('/data/pg_hba.conf')`,
    `SELECT lo_import('/etc/passwd')`,
    `SELECT lo_export(lo_create(0), '/data/stolen')`,
    `SELECT * FROM pg_hba_file_rules`,
    `SELECT * FROM pg_authid`,
    `LOAD '/data/evil.so'`,
    `CREATE FUNCTION c_call() RETURNS int AS 'libc.so.6', 'getpid' LANGUAGE c`,
    `CREATE EXTENSION dblink`,
    `CREATE EXTENSION postgres_fdw`,
    `CREATE EXTENSION file_fdw`,
    `CREATE EXTENSION adminpack`,
  ])('%s', async (statement) => {
    await expect(session.query(statement)).rejects.toThrow(
      /permission denied|must be superuser|access to library|not allowed/,
    );
  });
});

describe('a hostile app cannot gain rights', () => {
  it.each([
    'CREATE ROLE accomplice LOGIN',
    'CREATE DATABASE spare',
    'ALTER ROLE app_1 SUPERUSER',
    'ALTER ROLE app_1 CREATEDB',
    'ALTER ROLE app_1 CREATEROLE',
    'ALTER ROLE app_1 REPLICATION',
    'ALTER ROLE app_1 BYPASSRLS',
    'ALTER ROLE app_1 CONNECTION LIMIT 500',
    `ALTER ROLE app_2 PASSWORD 'mine'`,
    `ALTER ROLE tandem PASSWORD 'mine'`,
    'SET ROLE app_2',
    'SET ROLE tandem',
    'SET SESSION AUTHORIZATION tandem',
    'GRANT tandem TO app_1',
    'GRANT app_2 TO app_1',
    'GRANT pg_read_server_files TO app_1',
    'ALTER DATABASE app_1 RENAME TO app_3',
    'ALTER DATABASE app_2 OWNER TO app_1',
    'ALTER DATABASE postgres SET search_path = evil',
    'DROP DATABASE app_2',
    'DROP ROLE app_2',
    `ALTER SYSTEM SET log_statement = 'all'`,
    `SET temp_file_limit = '-1'`,
    `SET log_min_messages = 'debug5'`,
    'SELECT pg_reload_conf()',
    'SELECT pg_switch_wal()',
    `SELECT pg_create_physical_replication_slot('slot')`,
    'CREATE EVENT TRIGGER trap ON ddl_command_start EXECUTE FUNCTION suppress_redundant_updates_trigger()',
    `CREATE SUBSCRIPTION spy CONNECTION 'host=::1' PUBLICATION p`,
    `CREATE TABLESPACE elsewhere LOCATION '/data'`,
    'DROP DATABASE app_1',
  ])('%s', async (statement) => {
    await expect(session.query(statement)).rejects.toThrow(
      /permission denied|must be|must have admin option|cannot drop the currently open database/,
    );
  });

  it('and stays what it was', async () => {
    const { rows } = await session.query(
      `SELECT rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls
       FROM pg_roles WHERE rolname = 'app_1'`,
    );
    expect(rows).toEqual([
      {
        rolsuper: false,
        rolcreatedb: false,
        rolcreaterole: false,
        rolreplication: false,
        rolbypassrls: false,
      },
    ]);
  });
});

describe('a hostile app cannot see or disturb a neighbour', () => {
  it('by the text of its statements', async () => {
    const neighbour = await cluster.connectAs(victim);
    const sleeping = neighbour.query(`SELECT pg_sleep(1), 'card number 4242' AS secret`);
    const { rows } = await session.query<{ query: string }>(
      `SELECT query FROM pg_stat_activity WHERE usename = 'app_2'`,
    );
    await sleeping;
    await neighbour.end();
    expect(rows.length).toBeGreaterThan(0);
    expect(JSON.stringify(rows)).not.toContain('4242');
    expect(rows[0]?.query).toBe('<insufficient privilege>');
  });

  it.each(['pg_terminate_backend', 'pg_cancel_backend'])('with %s', async (end) => {
    const neighbour = await cluster.connectAs(victim);
    const { rows } = await neighbour.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    await expect(session.query(`SELECT ${end}($1)`, [rows[0]?.pid])).rejects.toThrow(/must be/);
    await neighbour.query('SELECT');
    await neighbour.end();
  });
});

describe('what a hostile app puts into its database is never run with our rights', () => {
  const asHostile = async (statements: readonly string[]) => {
    for (const statement of statements) await session.query(statement);
  };

  it('a view in the place of django_migrations runs as the app', async () => {
    await asHostile([
      'CREATE TABLE seen (who text)',
      `CREATE FUNCTION spring_trap() RETURNS text LANGUAGE plpgsql AS $$ BEGIN
         INSERT INTO seen VALUES (session_user || ' ' || current_user);
         BEGIN EXECUTE 'RESET ROLE'; EXECUTE 'CREATE ROLE accomplice SUPERUSER';
         EXCEPTION WHEN OTHERS THEN NULL; END;
         RETURN 'x'; END $$`,
      `CREATE VIEW django_migrations AS SELECT 1 AS id, spring_trap() AS app, 'n' AS name`,
    ]);
    expect(await cluster.service.appliedMigrations(hostile)).toEqual(['x.n']);
    const { rows } = await session.query('SELECT who FROM seen');
    expect(rows).toEqual([{ who: 'app_1 app_1' }]);
    const accomplices = await session.query(`SELECT FROM pg_roles WHERE rolname = 'accomplice'`);
    expect(accomplices.rowCount).toBe(0);
  });

  it.each([
    ['endless rows', `SELECT n AS id, 'a' AS app, 'b' AS name FROM generate_series(1, 1e9) n`],
    ['huge values', `SELECT 1 AS id, repeat('x', 100000000) AS app, 'b' AS name`],
    ['a wait without end', `SELECT 1 AS id, pg_sleep(3600)::text AS app, 'b' AS name`],
  ])('%s cost bounded time and memory', { timeout: 60_000 }, async (_name, query) => {
    await asHostile([
      'DROP VIEW IF EXISTS django_migrations',
      `CREATE VIEW django_migrations AS ${query}`,
    ]);
    const before = process.memoryUsage.rss();
    await cluster.service.appliedMigrations(hostile).catch(() => undefined);
    expect(process.memoryUsage.rss() - before).toBeLessThan(150 * 1024 * 1024);
  });

  it('a flood of notices is cut off', async () => {
    await asHostile([
      `CREATE FUNCTION flood() RETURNS text LANGUAGE plpgsql AS $$ BEGIN
         SET client_min_messages = notice;
         LOOP RAISE NOTICE '%', repeat('x', 1000000); END LOOP; END $$`,
      'DROP VIEW django_migrations',
      `CREATE VIEW django_migrations AS SELECT 1 AS id, flood() AS app, 'b' AS name`,
    ]);
    await expect(cluster.service.appliedMigrations(hostile)).rejects.toMatchObject({
      code: 'SERVICE_FAILED',
    });
  });

  it('a search path of its own does not reach the admin', async () => {
    await asHostile([
      'CREATE SCHEMA evil',
      `CREATE VIEW evil.pg_roles AS SELECT 'x'::name AS rolname`,
      'ALTER DATABASE app_1 SET search_path = evil, public',
      'ALTER ROLE app_1 SET search_path = evil, public',
    ]);
    expect(await cluster.service.attach({ appId: 1, formation: {} }, hostile)).toEqual(hostile);
  });

  it('and nothing of it is in the way of its removal', async () => {
    await asHostile([
      'SELECT lo_create(0)',
      'GRANT ALL ON DATABASE app_1 TO app_2',
      'ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO app_2',
      'ALTER DATABASE app_1 CONNECTION LIMIT 0',
    ]);
    await cluster.service.destroy(1);
    const admin = await cluster.connectAsAdmin();
    const { rowCount } = await admin.query(
      `SELECT datname FROM pg_database WHERE datname = 'app_1'
       UNION SELECT rolname FROM pg_roles WHERE rolname IN ('app_1', 'accomplice')`,
    );
    await admin.end();
    expect(rowCount).toBe(0);
  });
});
