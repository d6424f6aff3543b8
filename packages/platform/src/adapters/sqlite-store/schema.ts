// The tables of the store and how an older file becomes a current one. `user_version` counts the
// migrations applied; a migration, once released, never changes.
import type { DatabaseSync } from 'node:sqlite';
import { TandemError } from '@tandem/protocol';

/** `TNDM`: tells our file from any other SQLite database. */
export const APPLICATION_ID = 0x54_4e_44_4d;

const MIGRATIONS: readonly string[] = [
  `CREATE TABLE documents (
     key TEXT PRIMARY KEY,
     value TEXT NOT NULL,
     revision INTEGER NOT NULL
   ) STRICT;
   -- What watches read; at least one row for each revision. A deletion has no value.
   CREATE TABLE history (
     sequence INTEGER PRIMARY KEY,
     revision INTEGER NOT NULL,
     key TEXT NOT NULL,
     value TEXT
   ) STRICT;
   CREATE INDEX history_by_revision ON history (revision);
   CREATE TABLE leases (
     name TEXT PRIMARY KEY,
     holder TEXT NOT NULL,
     token INTEGER NOT NULL,
     expires_at_ms INTEGER NOT NULL
   ) STRICT;
   CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;
   INSERT INTO counters VALUES ('revision', 0), ('lease_token', 0);`,
];

export const SCHEMA_VERSION = MIGRATIONS.length;

export function readPragma(database: DatabaseSync, name: string): unknown {
  return Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0];
}

/** Inside one write transaction of the caller, so that two processes never migrate together. */
export function migrate(database: DatabaseSync, path: string): void {
  const version = Number(readPragma(database, 'user_version'));
  if (version > SCHEMA_VERSION) throw newerSchema(path, version);
  if (version === SCHEMA_VERSION) return;
  for (const migration of MIGRATIONS.slice(version)) database.exec(migration);
  database.exec(`PRAGMA user_version = ${SCHEMA_VERSION}`);
  database.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
}

function newerSchema(path: string, version: number): TandemError {
  return new TandemError(
    'STORE_SCHEMA_NEWER',
    `${path} has schema ${version}; this version of Tandem knows up to ${SCHEMA_VERSION}`,
    { hint: 'Start the version of Tandem that wrote it, or restore a backup of the older one.' },
  );
}
