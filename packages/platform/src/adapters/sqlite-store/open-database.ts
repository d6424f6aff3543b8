// From a path to a connection that is safe to use: made whole or not at all, checked, migrated.
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { link, mkdir, open, rm, stat } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { dirname } from 'node:path';
import { LIMITS } from '../../domain/limits.ts';
import { syncDirectory } from '../../lib/atomic-file.ts';
import type { Clock } from '../../ports/clock.ts';
import { APPLICATION_ID, migrate, readPragma } from './schema.ts';
import { isBusy, sqliteCode, storeError, unreadable } from './store-errors.ts';
import { inWriteTransaction } from './transaction.ts';

const BUSY_RETRY_MS = 20;

export async function openDatabase(path: string, clock: Clock): Promise<DatabaseSync> {
  try {
    await createWhenMissing(path);
    if ((await stat(path)).size === 0) throw unreadable(path, 'is empty');
    return await connect(path, clock);
  } catch (error) {
    throw storeError(error, path);
  }
}

/**
 * A new store is made under another name and linked into place whole. So an empty or headless file
 * under the real name is always damage, never a store that was killed while it was being created.
 */
async function createWhenMissing(path: string): Promise<void> {
  // The journal is looked at first: whoever wins a race to create the store makes both.
  const hasJournal = existsSync(`${path}-wal`);
  if (existsSync(path)) return;
  // SQLite would replay this journal into the new file.
  if (hasJournal) throw unreadable(path, 'is missing, but its journal is there');
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    // SQLite gives its journal the mode of the file.
    await (await open(draft, 'wx', 0o600)).close();
    const database = new DatabaseSync(draft);
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
    inWriteTransaction(database, () => migrate(database, path));
    // Writes the journal back into the file and removes it.
    database.close();
    await link(draft, path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
    await syncDirectory(dirname(path));
  } finally {
    await rm(draft, { force: true });
  }
}

/** Recovery after a crash takes a lock that ignores the busy time-out, hence the loop. */
async function connect(path: string, clock: Clock): Promise<DatabaseSync> {
  const deadlineMs = clock.monotonicMs() + LIMITS.store.busyTimeoutMs;
  for (;;) {
    try {
      return prepare(path);
    } catch (error) {
      if (!isBusy(error) || clock.monotonicMs() > deadlineMs) throw error;
      await clock.sleep(BUSY_RETRY_MS);
    }
  }
}

function prepare(path: string): DatabaseSync {
  const database = new DatabaseSync(path, { timeout: LIMITS.store.busyTimeoutMs });
  try {
    database.exec('PRAGMA synchronous = FULL');
    checkSound(database, path);
    inWriteTransaction(database, () => migrate(database, path));
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function checkSound(database: DatabaseSync, path: string): void {
  if (Number(readPragma(database, 'application_id')) !== APPLICATION_ID) {
    throw unreadable(path, 'is not a store of Tandem');
  }
  const verdict = quickCheck(database);
  if (verdict !== 'ok') throw unreadable(path, `is damaged (${verdict})`);
}

function quickCheck(database: DatabaseSync): string {
  try {
    return String(readPragma(database, 'quick_check(1)'));
  } catch (error) {
    if (isBusy(error) || sqliteCode(error) === undefined) throw error;
    return (error as Error).message;
  }
}
