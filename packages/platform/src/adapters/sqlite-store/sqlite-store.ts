// StateStore on an embedded SQLite file: WAL, every commit synced. SQLite is synchronous, so a
// transaction never interleaves with another of this process; BEGIN IMMEDIATE keeps others out.
import type { DatabaseSync } from 'node:sqlite';
import { TandemError } from '@tandem/protocol';
import { LIMITS } from '../../domain/limits.ts';
import { Bell } from '../../lib/bell.ts';
import type { Clock } from '../../ports/clock.ts';
import type {
  Change,
  Compare,
  Lease,
  StateStore,
  StoredDocument,
  TransactResult,
  ValidateDocument,
  Write,
} from '../../ports/state-store.ts';
import {
  checkKey,
  checkTransaction,
  decodeDocument,
  encodeDocument,
} from '../../ports/store-bounds.ts';
import { DocumentTable, type ChangeRow, type DocumentRow } from './document-table.ts';
import { LeaseTable } from './lease-table.ts';
import { openDatabase } from './open-database.ts';
import { storeError } from './store-errors.ts';
import { inReadTransaction, inWriteTransaction } from './transaction.ts';

/** How soon a watch sees what another process has committed. */
const WATCH_POLL_MS = 200;
/** At least LIMITS.store.operationsMax + 1, so that a batch holds one whole revision. */
const WATCH_ROWS_MAX = 128;

export interface SqliteStoreOptions {
  readonly path: string;
  readonly validate: ValidateDocument;
  readonly clock: Clock;
  readonly historyRevisions?: number;
}

/** Throws STORE_UNREADABLE, STORE_SCHEMA_NEWER or STORE_BUSY; makes the file when there is none. */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<StateStore> {
  return new SqliteStore(await openDatabase(options.path, options.clock), options);
}

interface PreparedWrite {
  readonly key: string;
  /** Absent: delete. */
  readonly text: string | undefined;
}

class SqliteStore implements StateStore {
  readonly #database: DatabaseSync;
  readonly #documents: DocumentTable;
  readonly #leases: LeaseTable;
  readonly #options: SqliteStoreOptions;
  readonly #committed = new Bell();
  readonly #closed = new AbortController();

  constructor(database: DatabaseSync, options: SqliteStoreOptions) {
    this.#database = database;
    this.#documents = new DocumentTable(database);
    this.#leases = new LeaseTable(database);
    this.#options = options;
  }

  async get(key: string): Promise<StoredDocument | undefined> {
    checkKey(key);
    const row = this.#run(() => this.#documents.get(key));
    return row === undefined ? undefined : this.#decode(row);
  }

  async list(prefix: string): Promise<{ documents: StoredDocument[]; revision: number }> {
    const { rows, revision } = this.#read(() => ({
      rows: this.#documents.list(prefix),
      revision: this.#documents.revision(),
    }));
    return { documents: rows.map((row) => this.#decode(row)), revision };
  }

  async transact(compares: readonly Compare[], writes: readonly Write[]): Promise<TransactResult> {
    checkTransaction(compares, writes);
    const prepared = writes.map((write) => this.#prepare(write));
    const result = this.#write(() => this.#commit(compares, prepared));
    this.#committed.ring();
    return result;
  }

  async *watch(prefix: string, fromRevision: number, signal: AbortSignal): AsyncGenerator<Change> {
    const until = AbortSignal.any([signal, this.#closed.signal]);
    let cursor = fromRevision;
    while (!until.aborted) {
      const heard = this.#committed.rings;
      const batch = this.#changesAfter(cursor, prefix);
      for (const row of batch.changes) {
        if (until.aborted) return;
        yield this.#decodeChange(row);
      }
      cursor = batch.revision;
      if (batch.isLast) await this.#committed.wait(heard, WATCH_POLL_MS, until);
    }
  }

  async acquireLease(name: string, holder: string, ttlMs: number): Promise<Lease | undefined> {
    checkKey(name);
    const { clock } = this.#options;
    const token = this.#write(() =>
      this.#leases.acquire({ name, holder, ttlMs, nowMs: clock.nowMs() }),
    );
    if (token === undefined) return undefined;
    return {
      name,
      token,
      renew: async () => this.#write(() => this.#leases.renew(name, token, ttlMs, clock.nowMs())),
      release: async () => this.#write(() => this.#leases.release(name, token)),
    };
  }

  async close(): Promise<void> {
    this.#closed.abort();
    if (this.#database.isOpen) this.#database.close();
  }

  #prepare(write: Write): PreparedWrite {
    if (write.kind === 'delete') return { key: write.key, text: undefined };
    const text = encodeDocument(write.key, write.value, this.#options.validate);
    return { key: write.key, text };
  }

  #commit(compares: readonly Compare[], writes: readonly PreparedWrite[]): TransactResult {
    const current = this.#documents.revision();
    if (!compares.every((compare) => this.#documents.holds(compare))) {
      return { committed: false, revision: current };
    }
    const revision = current + 1;
    const changed = writes.map((write) => this.#apply(write, revision)).includes(true);
    if (!changed) return { committed: true, revision: current };
    this.#documents.advance(
      revision,
      this.#options.historyRevisions ?? LIMITS.store.historyRevisions,
    );
    return { committed: true, revision };
  }

  #apply({ key, text }: PreparedWrite, revision: number): boolean {
    if (text === undefined) return this.#documents.delete(key, revision);
    this.#documents.put({ key, text, revision });
    return true;
  }

  /** Whole revisions only, so that `revision` says how far a watch has come. */
  #changesAfter(
    revision: number,
    prefix: string,
  ): { changes: ChangeRow[]; revision: number; isLast: boolean } {
    const read = this.#read(() => ({
      floor: this.#documents.historyFloor(),
      newest: this.#documents.revision(),
      rows: this.#documents.changesAfter(revision, prefix, WATCH_ROWS_MAX),
    }));
    if (revision < read.floor || revision > read.newest) throw behind(prefix, revision, read);
    if (read.rows.length < WATCH_ROWS_MAX) {
      return { changes: read.rows, revision: read.newest, isLast: true };
    }
    // The last revision of a full batch may go on behind it: it comes with the next one.
    const cutOff = read.rows.at(-1)?.revision ?? read.newest;
    const changes = read.rows.filter((row) => row.revision < cutOff);
    return { changes, revision: cutOff - 1, isLast: false };
  }

  #decode({ key, text, revision }: DocumentRow): StoredDocument {
    return { key, revision, value: decodeDocument(key, text, this.#options.validate) };
  }

  #decodeChange({ key, text, revision }: ChangeRow): Change {
    if (text === undefined) return { key, revision };
    return { key, revision, value: decodeDocument(key, text, this.#options.validate) };
  }

  #read<T>(work: () => T): T {
    return this.#run(() => inReadTransaction(this.#database, work));
  }

  #write<T>(work: () => T): T {
    return this.#run(() => inWriteTransaction(this.#database, work));
  }

  #run<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw storeError(error, this.#options.path);
    }
  }
}

function behind(
  prefix: string,
  revision: number,
  kept: { floor: number; newest: number },
): TandemError {
  const history = `history reaches from ${kept.floor} to ${kept.newest}`;
  return new TandemError('STORE_BEHIND', `watch of "${prefix}" from ${revision}: ${history}`, {
    hint: 'List the prefix again and watch from the revision of the list.',
  });
}
