// The part of an app in the shared cluster: one role and one database of the same name. Each
// function brings the server from whatever a crash left to the state its name says.
import type { Client } from 'pg';
import { scramVerifier, type PostgresqlCredentials } from './credentials.ts';
import { appIdentifier, quoteIdentifier, quoteLiteral } from './identifiers.ts';

export interface Grant {
  readonly credentials: PostgresqlCredentials;
  readonly connectionLimit: number;
}

export async function openAppDatabase(admin: Client, grant: Grant): Promise<void> {
  const { role, database, password } = grant.credentials;
  const [roleName, databaseName] = [quoteIdentifier(role), quoteIdentifier(database)];
  if (!(await roleExists(admin, role))) await admin.query(`CREATE ROLE ${roleName} NOLOGIN`);
  await admin.query(
    `ALTER ROLE ${roleName} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS
       CONNECTION LIMIT ${grant.connectionLimit}
       PASSWORD ${quoteLiteral(scramVerifier(password))}`,
  );
  if (!(await databaseExists(admin, database))) {
    // An interrupted CREATE DATABASE leaves nothing that has this name.
    await admin.query(`CREATE DATABASE ${databaseName} OWNER ${roleName} TEMPLATE template0`);
  }
  await admin.query(`REVOKE ALL ON DATABASE ${databaseName} FROM PUBLIC`);
  await admin.query(`GRANT ALL ON DATABASE ${databaseName} TO ${roleName}`);
}

/** Nobody can log in as the app any more; its data stay. */
export async function closeAppDatabase(admin: Client, appId: number): Promise<void> {
  const role = appIdentifier(appId);
  if (!(await roleExists(admin, role))) return;
  await admin.query(`ALTER ROLE ${quoteIdentifier(role)} NOLOGIN`);
  await admin.query(
    `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = $1`,
    [role],
  );
}

export async function dropAppDatabase(admin: Client, appId: number): Promise<void> {
  await closeAppDatabase(admin, appId);
  const name = quoteIdentifier(appIdentifier(appId));
  await admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
  await admin.query(`DROP ROLE IF EXISTS ${name}`);
}

async function roleExists(admin: Client, role: string): Promise<boolean> {
  const { rowCount } = await admin.query('SELECT FROM pg_roles WHERE rolname = $1', [role]);
  return rowCount === 1;
}

async function databaseExists(admin: Client, database: string): Promise<boolean> {
  const { rowCount } = await admin.query('SELECT FROM pg_database WHERE datname = $1', [database]);
  return rowCount === 1;
}
