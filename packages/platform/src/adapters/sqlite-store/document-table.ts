// Documents and their history as rows. All methods are synchronous and belong in a transaction of
// the caller; values are JSON text.
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Compare } from '../../ports/state-store.ts';

export interface DocumentRow {
  readonly key: string;
  readonly text: string;
  readonly revision: number;
}

/** No text: the document was deleted. */
export interface ChangeRow {
  readonly key: string;
  readonly text: string | undefined;
  readonly revision: number;
}

/** Sorts after every character a key may have. */
const AFTER_ANY_KEY = '\u007f';

export class DocumentTable {
  readonly #statements: ReturnType<typeof prepareAll>;

  constructor(database: DatabaseSync) {
    this.#statements = prepareAll(database);
  }

  get(key: string): DocumentRow | undefined {
    const row = this.#statements.get.get(key);
    return row === undefined ? undefined : toDocument(row);
  }

  list(prefix: string): DocumentRow[] {
    return this.#statements.list.all(prefix, prefix + AFTER_ANY_KEY).map(toDocument);
  }

  revision(): number {
    return Number(this.#statements.revision.get()?.['value']);
  }

  holds({ key, revision }: Compare): boolean {
    return (this.get(key)?.revision ?? 0) === revision;
  }

  put(row: DocumentRow): void {
    this.#statements.put.run(row.key, row.text, row.revision);
    this.#statements.record.run(row.revision, row.key, row.text);
  }

  /** False when there was nothing to delete: that is no change. */
  delete(key: string, revision: number): boolean {
    if (this.#statements.delete.run(key).changes === 0) return false;
    this.#statements.record.run(revision, key, null);
    return true;
  }

  /** Ends a transaction that changed something, and drops what is older than the history kept. */
  advance(revision: number, historyRevisions: number): void {
    this.#statements.advance.run(revision);
    this.#statements.prune.run(revision - historyRevisions);
  }

  /** Changes after this revision can be read; those up to it are dropped. */
  historyFloor(): number {
    const oldest = this.#statements.oldest.get()?.['revision'];
    return oldest == null ? this.revision() : Number(oldest) - 1;
  }

  changesAfter(revision: number, prefix: string, rowsMax: number): ChangeRow[] {
    return this.#statements.changes
      .all(revision, prefix, prefix + AFTER_ANY_KEY, rowsMax)
      .map(toChange);
  }
}

function prepareAll(database: DatabaseSync) {
  const prepare = (sql: string): StatementSync => database.prepare(sql);
  return {
    get: prepare('SELECT key, value, revision FROM documents WHERE key = ?'),
    list: prepare(
      'SELECT key, value, revision FROM documents WHERE key >= ? AND key < ? ORDER BY key',
    ),
    revision: prepare("SELECT value FROM counters WHERE name = 'revision'"),
    put: prepare('INSERT OR REPLACE INTO documents (key, value, revision) VALUES (?, ?, ?)'),
    delete: prepare('DELETE FROM documents WHERE key = ?'),
    record: prepare('INSERT INTO history (revision, key, value) VALUES (?, ?, ?)'),
    advance: prepare("UPDATE counters SET value = ? WHERE name = 'revision'"),
    prune: prepare('DELETE FROM history WHERE revision <= ?'),
    oldest: prepare('SELECT MIN(revision) AS revision FROM history'),
    changes: prepare(
      `SELECT key, value, revision FROM history
       WHERE revision > ? AND key >= ? AND key < ? ORDER BY sequence LIMIT ?`,
    ),
  };
}

type Row = Readonly<Record<string, unknown>>;

function toDocument(row: Row): DocumentRow {
  return { key: String(row['key']), text: String(row['value']), revision: Number(row['revision']) };
}

function toChange(row: Row): ChangeRow {
  const { value } = row;
  return {
    key: String(row['key']),
    text: typeof value === 'string' ? value : undefined,
    revision: Number(row['revision']),
  };
}
