// Calls of crun for one installation: its state directory and, where cgroups need it, the wrapper.
import { fileURLToPath } from 'node:url';
import { runCommand } from '../../lib/run-command.ts';
import type { CgroupMode } from './cgroups.ts';

const CRUN = '/usr/bin/crun';
const CRUN_HYBRID = fileURLToPath(new URL('../../../libexec/crun-hybrid', import.meta.url));
/** `slave`: what the machine unmounts meanwhile does not stay pinned in the namespace. */
const IN_HYBRID = ['/usr/bin/unshare', '--mount', '--propagation', 'slave', '--', CRUN_HYBRID];
/** These read and write crun's own state only, so they need no wrapper (10 ms of each start). */
const WITHOUT_CGROUPS: ReadonlySet<string> = new Set(['start', 'state']);
const TIMEOUT_MS = 30_000;

export interface CrunCommand {
  /** Where crun keeps a directory per container. */
  readonly stateDirectory: string;
  /** What behaves as crun: the first word is an absolute path, a verb comes next. */
  readonly argv: readonly [string, ...string[]];
}

export function crunCommand(mode: CgroupMode, stateDirectory: string): CrunCommand {
  const [program = CRUN, ...words] = mode === 'hybrid' ? IN_HYBRID : [CRUN];
  return { stateDirectory, argv: [program, ...words, '--root', stateDirectory] };
}

/** `start`, `state` ... of one container. */
export async function runCrun(
  { argv, stateDirectory }: CrunCommand,
  verb: string,
  ...args: string[]
): Promise<string> {
  const direct = [CRUN, '--root', stateDirectory] as const;
  const command = WITHOUT_CGROUPS.has(verb) ? direct : argv;
  const result = await runCommand([...command, verb, ...args], { timeoutMs: TIMEOUT_MS });
  return result.stdout;
}
