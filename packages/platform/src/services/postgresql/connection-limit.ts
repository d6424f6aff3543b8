// How many connections the role of an app may hold: its old and its new instances side by side,
// and a reserve for jobs.
import type { Formation } from '../../domain/formation.ts';
import { LIMITS } from '../../domain/limits.ts';

export interface ConnectionDemand {
  readonly formation: Formation;
  /** Cores an instance may count on; decides its web workers. */
  readonly cores?: number;
}

/** A Django thread keeps its connection, so a web process needs one for each of its threads. */
export function connectionLimit({ formation, cores = 2 }: ConnectionDemand): number {
  const {
    connectionsPerProcess,
    connectionsPerRoleMax,
    connectionsPerRoleMin,
    connectionsReserve,
  } = LIMITS.postgresql;
  const perWeb = (1 + cores) * LIMITS.gunicorn.threads;
  const running = Object.entries(formation)
    .map(([type, { count }]) => count * (type === 'web' ? perWeb : connectionsPerProcess))
    .reduce((sum, connections) => sum + connections, 0);
  const wanted = 2 * running + connectionsReserve;
  return Math.min(Math.max(wanted, connectionsPerRoleMin), connectionsPerRoleMax);
}
