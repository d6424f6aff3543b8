// Work that one nexus does at a time: whoever holds the lease. Should two ever overlap, because one
// was stopped for longer than the lease lasts, an order too many is all that comes of it; documents
// change by comparison.
import type { Clock } from '../../ports/clock.ts';
import type { Lease, StateStore } from '../../ports/state-store.ts';

export interface Ownership {
  readonly store: StateStore;
  readonly clock: Clock;
  /** Of the lease. */
  readonly name: string;
  /** The same for a process that takes another one's place. */
  readonly holder: string;
  readonly ttlMs: number;
  readonly report: (text: string, error?: unknown) => void;
}

/** `work` gets a signal that fires when the lease is lost; runs again as often as it is won. */
export async function whileOwner(
  ownership: Ownership,
  signal: AbortSignal,
  work: (owned: AbortSignal) => Promise<void>,
): Promise<void> {
  const { store, clock, name, holder, ttlMs, report } = ownership;
  while (!signal.aborted) {
    try {
      const lease = await store.acquireLease(name, holder, ttlMs);
      if (lease) await workUnder(lease, ownership, signal, work);
    } catch (error) {
      if (!signal.aborted) report(`${name} was given up`, error);
    }
    await clock.sleep(ttlMs / 3, signal).catch(() => undefined);
  }
}

async function workUnder(
  lease: Lease,
  ownership: Ownership,
  signal: AbortSignal,
  work: (owned: AbortSignal) => Promise<void>,
): Promise<void> {
  const end = new AbortController();
  const owned = AbortSignal.any([signal, end.signal]);
  const renewing = renewUntilLost(lease, ownership, owned).then(() => end.abort());
  try {
    await work(owned);
  } finally {
    end.abort();
    await renewing;
    await lease.release().catch(() => undefined);
  }
}

async function renewUntilLost(
  lease: Lease,
  { clock, ttlMs, report }: Ownership,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await clock.sleep(ttlMs / 3, signal).catch(() => undefined);
    if (signal.aborted) return;
    const isHeld = await lease.renew().catch((error: unknown) => {
      report(`the lease of ${lease.name} could not be renewed`, error);
      return false;
    });
    if (!isHeld) return;
  }
}
