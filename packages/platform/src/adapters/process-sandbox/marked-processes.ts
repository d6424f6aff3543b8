// Plain processes have no cgroup to be found by. Each carries a mark in its environment, which its
// children inherit; whoever clears it on purpose escapes, and that is one reason for crun.
import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

export const MARK = 'TANDEM_SANDBOX';
const KILL_TIMEOUT_MS = 10_000;
const KILL_INTERVAL_MS = 10;

export async function markedPids(mark: string): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const found = await Promise.all(pids.map((pid) => hasMark(pid, mark)));
  return pids.filter((_, index) => found[index]);
}

/**
 * Ends them all, also those that fork meanwhile. `holderPid`: conmon, to which orphans fall; its
 * children count too, because a process has no readable environment while it executes.
 */
export async function killMarked(mark: string, holderPid?: number): Promise<void> {
  const deadline = performance.now() + KILL_TIMEOUT_MS;
  for (;;) {
    const pids = [...(await markedPids(mark)), ...(await childrenOf(holderPid))];
    if (pids.length === 0) return;
    if (performance.now() > deadline) {
      throw new Error(`processes ${pids.join(', ')} of ${mark} did not end`);
    }
    for (const pid of pids) endProcess(pid);
    await sleep(KILL_INTERVAL_MS);
  }
}

async function childrenOf(pid: number | undefined): Promise<number[]> {
  const path = `/proc/${pid}/task/${pid}/children`;
  const children = pid === undefined ? '' : await readFile(path, 'utf8').catch(() => '');
  return children
    .split(' ')
    .filter((word) => word !== '')
    .map(Number);
}

function endProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Ended by itself.
  }
}

async function hasMark(pid: number, mark: string): Promise<boolean> {
  const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
  return environment.split('\0').includes(`${MARK}=${mark}`);
}
