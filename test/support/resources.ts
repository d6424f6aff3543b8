// What this process holds: sockets and memory, to see that a test left nothing behind.
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const SETTLE_MS = 5_000;
/** Compiled code and caches come with the first use of anything. */
const SLACK_BYTES = 24 * 1024 * 1024;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

export interface Resources {
  readonly sockets: number;
  readonly bytes: number;
}

export function resourcesNow(): Resources {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  const sockets = process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap');
  return { sockets: sockets.length, bytes: heapUsed + external };
}

/** Waits until as little is held as before; throws when it stays. */
export async function returnTo(before: Resources): Promise<void> {
  const deadlineMs = performance.now() + SETTLE_MS;
  for (;;) {
    const now = resourcesNow();
    if (now.sockets <= before.sockets && now.bytes <= before.bytes + SLACK_BYTES) return;
    if (performance.now() > deadlineMs)
      throw new Error(`left behind: ${JSON.stringify({ before, now })}`);
    await sleep(50);
  }
}
