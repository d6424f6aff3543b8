// Leases as rows. A row with a past expiry is nobody's; tokens come from one counter that never goes
// back, so a released lease needs no row.
import type { DatabaseSync } from 'node:sqlite';

export interface LeaseRequest {
  readonly name: string;
  readonly holder: string;
  readonly ttlMs: number;
  readonly nowMs: number;
}

export class LeaseTable {
  readonly #database: DatabaseSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /** The new token; undefined while somebody else holds it. Inside a write transaction. */
  acquire({ name, holder, ttlMs, nowMs }: LeaseRequest): number | undefined {
    this.#database.prepare('DELETE FROM leases WHERE expires_at_ms <= ?').run(nowMs);
    const current = this.#database.prepare('SELECT holder FROM leases WHERE name = ?').get(name);
    if (current !== undefined && current['holder'] !== holder) return undefined;
    const token = this.#nextToken();
    this.#database
      .prepare(
        'INSERT OR REPLACE INTO leases (name, holder, token, expires_at_ms) VALUES (?, ?, ?, ?)',
      )
      .run(name, holder, token, nowMs + ttlMs);
    return token;
  }

  /** False when it has expired, even if nobody took it since: the holder may have been too late. */
  renew(name: string, token: number, ttlMs: number, nowMs: number): boolean {
    const { changes } = this.#database
      .prepare(
        'UPDATE leases SET expires_at_ms = ? WHERE name = ? AND token = ? AND expires_at_ms > ?',
      )
      .run(nowMs + ttlMs, name, token, nowMs);
    return changes === 1;
  }

  release(name: string, token: number): void {
    this.#database.prepare('DELETE FROM leases WHERE name = ? AND token = ?').run(name, token);
  }

  #nextToken(): number {
    const row = this.#database
      .prepare("UPDATE counters SET value = value + 1 WHERE name = 'lease_token' RETURNING value")
      .get();
    return Number(row?.['value']);
  }
}
