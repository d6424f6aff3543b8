// Desired state as documents under hierarchical keys (`apps/12/releases/7`). Two adapters follow
// one contract (state-store.contract.ts): SQLite on one machine, etcd on several. Bounds are equal
// in both (store-bounds.ts): values of LIMITS.store.valueBytesMax; at most LIMITS.store.operationsMax
// writes, and as many compares, in a transaction, which writes no key twice. Beyond: STORE_LIMIT.

export interface StoredDocument<T = unknown> {
  readonly key: string;
  readonly value: T;
  /** Store revision of the last write of this key; grows with every transaction of the store. */
  readonly revision: number;
}

/** Holds when the key is at exactly this revision; 0 means "does not exist". */
export interface Compare {
  readonly key: string;
  readonly revision: number;
}

export type Write =
  | { readonly kind: 'put'; readonly key: string; readonly value: unknown }
  | { readonly kind: 'delete'; readonly key: string };

export type TransactResult =
  | { readonly committed: true; readonly revision: number }
  /** Some compare did not hold; nothing was written. */
  | { readonly committed: false; readonly revision: number };

export interface Change {
  readonly key: string;
  readonly revision: number;
  /** Absent when the document was deleted. */
  readonly value?: unknown;
}

/** A lock with a time to live. `token` grows with each new holder and fences late writers. */
export interface Lease {
  readonly name: string;
  readonly token: number;
  /** False when the lease was lost; it never comes back under the same token. */
  renew(): Promise<boolean>;
  /** Safe to call twice, and after a loss. */
  release(): Promise<void>;
}

/** Checks a document on its way in and out; throws STORE_DOCUMENT_INVALID. */
export type ValidateDocument = (key: string, value: unknown) => unknown;

/**
 * A committed transaction is durable (survives power loss) and visible to every later read.
 * Keys are `/`-separated segments of `[A-Za-z0-9._-]+`. Values are JSON.
 */
export interface StateStore {
  get(key: string): Promise<StoredDocument | undefined>;
  /** All documents whose key starts with `prefix`, in key order, at one revision. */
  list(prefix: string): Promise<{ documents: StoredDocument[]; revision: number }>;
  transact(compares: readonly Compare[], writes: readonly Write[]): Promise<TransactResult>;
  /**
   * Every change with revision > `fromRevision` under `prefix`, in order, until `signal` fires
   * or the store is closed (then the iteration ends without an error). Throws STORE_BEHIND when
   * history was dropped: list again and watch from there.
   */
  watch(prefix: string, fromRevision: number, signal: AbortSignal): AsyncIterable<Change>;
  /**
   * Undefined while somebody else holds it. Who holds it already gets it again under a new token,
   * which ends the old one: so a restarted process need not wait for itself.
   */
  acquireLease(name: string, holder: string, ttlMs: number): Promise<Lease | undefined>;
  close(): Promise<void>;
}
