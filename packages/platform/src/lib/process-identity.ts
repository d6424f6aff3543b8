// A process as it must be written down to be found again: pids are used over, start times are not.
import { pidStartTicks } from './boot-id.ts';

export interface ProcessIdentity {
  readonly pid: number;
  /** See pidStartTicks; 0 when it had ended already. */
  readonly startTicks: number;
}

export async function identify(pid: number): Promise<ProcessIdentity> {
  return { pid, startTicks: (await pidStartTicks(pid)) ?? 0 };
}

export async function isRunning({ pid, startTicks }: ProcessIdentity): Promise<boolean> {
  return (await pidStartTicks(pid)) === startTicks;
}

/** No error when it has ended. */
export async function signalProcess(
  identity: ProcessIdentity,
  signal: NodeJS.Signals,
): Promise<void> {
  if (!(await isRunning(identity))) return;
  try {
    process.kill(identity.pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
