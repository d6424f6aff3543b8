// Whether the init of a sandbox takes signals. A process with pid 1 that has no handler yet loses them
// for good: between `crun start` and the first instructions of init that is a moment, on a busy machine
// a long one.
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Tini blocks signals, to fetch them with sigtimedwait(2), and then ignores SIGTTOU (22). Only the
 * second can be seen: who waits so has his signals unblocked meanwhile.
 */
const SIGTTOU_BIT = 1n << 21n;
const WAIT_MS = 10_000;
const INTERVAL_MS = 5;

/** Resolves when it does, when it has ended, or when waiting longer would help nobody. */
export async function initTakesSignals(pid: number, path: string): Promise<void> {
  const deadlineMs = performance.now() + WAIT_MS;
  while (!(await takesSignals(pid, path)) && performance.now() < deadlineMs) {
    await sleep(INTERVAL_MS);
  }
}

async function takesSignals(pid: number, path: string): Promise<boolean> {
  try {
    const [command, status] = await Promise.all([
      readFile(`/proc/${pid}/cmdline`, 'utf8'),
      readFile(`/proc/${pid}/status`, 'utf8'),
    ]);
    // A zombie has no command line.
    if (command === '') return true;
    const ignored = BigInt(`0x${/^SigIgn:\s*(\w+)$/m.exec(status)?.[1] ?? '0'}`);
    return command.startsWith(`${path}\0`) && (ignored & SIGTTOU_BIT) !== 0n;
  } catch {
    return true;
  }
}
