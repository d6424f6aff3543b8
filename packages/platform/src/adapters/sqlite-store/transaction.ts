// BEGIN IMMEDIATE ... COMMIT around synchronous work; whatever is thrown inside undoes all of it.
import type { DatabaseSync } from 'node:sqlite';

export function inWriteTransaction<T>(database: DatabaseSync, work: () => T): T {
  return inTransaction(database, 'BEGIN IMMEDIATE', work);
}

/** Everything read inside belongs to one revision, whoever else commits meanwhile. */
export function inReadTransaction<T>(database: DatabaseSync, work: () => T): T {
  return inTransaction(database, 'BEGIN', work);
}

function inTransaction<T>(database: DatabaseSync, begin: string, work: () => T): T {
  database.exec(begin);
  try {
    const result = work();
    database.exec('COMMIT');
    return result;
  } catch (error) {
    // A full disk has ended the transaction already.
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}
