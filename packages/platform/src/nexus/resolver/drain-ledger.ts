// At which epoch an instance left the table: a balancer that acknowledges this epoch and does not
// name the instance among those it drains has nothing on it any more. Pure.
import type { AppRoutes } from '../../domain/route-table.ts';
import type { BalancerHello } from '../../ports/route-messages.ts';

/** Instance ids are never used again, so old entries are of no use to anybody. */
const ENTRIES_MAX = 10_000;

export class DrainLedger {
  readonly #withdrawnAt = new Map<string, number>();

  record(before: AppRoutes | undefined, after: AppRoutes, epoch: number): void {
    const named = instanceIdsOf(after);
    for (const id of instanceIdsOf(before)) if (!named.has(id)) this.#withdrawnAt.set(id, epoch);
    for (const id of named) this.#withdrawnAt.delete(id);
    for (const id of this.#withdrawnAt.keys()) {
      if (this.#withdrawnAt.size <= ENTRIES_MAX) break;
      this.#withdrawnAt.delete(id);
    }
  }

  /** Of an instance that left before our time we only know that the current table lacks it. */
  isDrained(instanceId: string, hellos: readonly BalancerHello[], currentEpoch: number): boolean {
    const epoch = this.#withdrawnAt.get(instanceId) ?? currentEpoch;
    return hellos.every((hello) => hello.epoch >= epoch && !hello.draining.includes(instanceId));
  }
}

export function instanceIdsOf(app: AppRoutes | undefined): Set<string> {
  const ids = new Set<string>();
  for (const { target } of app?.routes ?? []) {
    if (target.kind === 'upstreams')
      for (const upstream of target.upstreams) ids.add(upstream.instanceId);
  }
  return ids;
}
