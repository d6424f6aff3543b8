// Calls of crun for one installation: its state directory and, where cgroups need it, the wrapper.
import { fileURLToPath } from 'node:url';
import { runCommand } from '../../lib/run-command.ts';
import type { CgroupMode } from './cgroups.ts';

const HYBRID_WRAPPER = fileURLToPath(new URL('../../../libexec/crun-hybrid', import.meta.url));
const CRUN = '/usr/bin/crun';
/** These read and write crun's own state only, so they need no wrapper (10 ms of each start). */
const WITHOUT_CGROUPS: ReadonlySet<string> = new Set(['start', 'state']);
const TIMEOUT_MS = 30_000;

export interface CrunCommand {
  /** Absolute path of what behaves as crun. */
  readonly runtime: string;
  /** Come before the verb. */
  readonly args: readonly string[];
}

export function crunCommand(mode: CgroupMode, stateDirectory: string): CrunCommand {
  return {
    runtime: mode === 'hybrid' ? HYBRID_WRAPPER : CRUN,
    args: ['--root', stateDirectory],
  };
}

/** `start`, `state` ... of one container. */
export async function runCrun(crun: CrunCommand, verb: string, ...args: string[]): Promise<string> {
  const program = WITHOUT_CGROUPS.has(verb) ? CRUN : crun.runtime;
  const argv = [program, ...crun.args, verb, ...args] as const;
  const result = await runCommand([...argv], { timeoutMs: TIMEOUT_MS });
  return result.stdout;
}
