// Ends every process of an installation when nobody is there to do it in order. Main processes of
// sandboxes get an INT first: to PostgreSQL it means "disconnect all, write a checkpoint, end".
import { setTimeout as sleep } from 'node:timers/promises';
import type { Mark } from './mark.ts';
import { findProcesses, signalProcess, type FoundProcess } from './processes.ts';

export interface EndOptions {
  /** For sandboxes to end by themselves. */
  readonly graceMs: number;
  /** From KILL to gone; a process in uninterruptible sleep takes its time. */
  readonly killTimeoutMs: number;
}

const POLL_MS = 50;

/** What could not be ended: normally nothing. */
export async function endProcesses(mark: Mark, options: EndOptions): Promise<FoundProcess[]> {
  const sandboxed = (found: readonly FoundProcess[]) => found.filter(isMainOfSandbox(found));
  for (const main of sandboxed(await findProcesses(mark))) await signalProcess(main, 'SIGINT');
  await until(async () => sandboxed(await findProcesses(mark)).length === 0, options.graceMs);

  let left: FoundProcess[] = [];
  await until(async () => {
    // Again and again: what forks between the look and the KILL is found by the next look.
    left = await findProcesses(mark);
    for (const process of left) await signalProcess(process, 'SIGKILL');
    return left.length === 0;
  }, options.killTimeoutMs);
  return left;
}

/** In a sandbox's cgroup, started by something outside of it, and not conmon (that ends with it). */
function isMainOfSandbox(all: readonly FoundProcess[]): (process: FoundProcess) => boolean {
  const cgroups = new Map(all.map((process) => [process.pid, process.cgroup]));
  return (process) =>
    process.cgroup !== undefined &&
    !/(^|\/)conmon /.test(process.command) &&
    cgroups.get(process.parentPid) !== process.cgroup;
}

async function until(condition: () => Promise<boolean>, timeoutMs: number): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await condition()) && performance.now() < deadline) await sleep(POLL_MS);
}
