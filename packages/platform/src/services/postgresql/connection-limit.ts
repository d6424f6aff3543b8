// How many connections the role of an app may hold: its old and its new instances side by side,
// and a reserve for jobs.
import type { Formation, ProcessFormation } from '../../domain/formation.ts';
import { LIMITS } from '../../domain/limits.ts';

export function connectionLimit({ formation }: { readonly formation: Formation }): number {
  const { connectionsPerRoleMax, connectionsPerRoleMin, connectionsReserve } = LIMITS.postgresql;
  const running = Object.entries(formation)
    .map(([type, process]) => process.count * connectionsOf(type, process))
    .reduce((sum, connections) => sum + connections, 0);
  const wanted = 2 * running + connectionsReserve;
  return Math.min(Math.max(wanted, connectionsPerRoleMin), connectionsPerRoleMax);
}

/**
 * A thread of Django keeps its connection. Web processes have as many threads as our web server
 * starts in this size (tandem_runtime/gunicorn_conf.py), on a machine with cores enough.
 */
function connectionsOf(type: string, { memoryBytes }: ProcessFormation): number {
  if (type !== 'web') return LIMITS.postgresql.connectionsPerProcess;
  const cores = Math.max(1, Math.floor(memoryBytes / LIMITS.instance.memoryBytes));
  return (1 + cores) * LIMITS.gunicorn.threads;
}
