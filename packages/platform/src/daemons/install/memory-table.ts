// Memory of our own processes: what the platform costs beside the apps. PSS counts a shared page in
// parts, so the rows add up.
import type { Mark } from '../../adapters/leftovers/mark.ts';
import { findProcesses, type FoundProcess } from '../../adapters/leftovers/processes.ts';
import { pssBytes as pssBytesOf } from '../../lib/process-memory.ts';

export interface MemoryRow {
  readonly name: string;
  readonly processes: number;
  readonly pssBytes: number;
}

/** Apps, databases and their jobs live in cgroups of their own and are not counted. */
export async function memoryTable(mark: Mark): Promise<MemoryRow[]> {
  const own = (await findProcesses(mark)).filter(isPlatform);
  const rows = new Map<string, MemoryRow>();
  for (const process of own) {
    const name = daemonOf(process.command);
    const row = rows.get(name) ?? { name, processes: 0, pssBytes: 0 };
    const pssBytes = row.pssBytes + ((await pssBytesOf(process.pid)) ?? 0);
    rows.set(name, { name, processes: row.processes + 1, pssBytes });
  }
  return [...rows.values()].sort((a, b) => b.pssBytes - a.pssBytes);
}

export function daemonOf(command: string): string {
  const [, daemon] = /\/daemons\/([a-z-]+)\.js/.exec(command) ?? [];
  if (daemon !== undefined) return daemon;
  if (/^(\S*\/)?nginx\b/.test(command)) return 'static server (nginx)';
  if (/^(\S*\/)?dnsmasq\b/.test(command)) return 'dns (dnsmasq)';
  if (/^(\S*\/)?conmon\b/.test(command)) return 'conmon';
  if (/^(\S*\/)?s6-/.test(command)) return 'supervisor (s6)';
  return 'other';
}

function isPlatform({ cgroup, command }: FoundProcess): boolean {
  return cgroup === undefined || daemonOf(command) === 'conmon';
}
