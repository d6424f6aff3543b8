// When does a process serve? Races the first answer against its end.
import { setTimeout as delay } from 'node:timers/promises';
import { get, type Address } from '../http.ts';
import type { PinnedProcess } from './pinned-processes.ts';

const POLL_MS = 20;
/** A table of 100,000 hostnames is read within it. */
const TIMEOUT_MS = 60_000;

export async function untilServing(process: PinnedProcess, address: Address): Promise<void> {
  const endMs = performance.now() + TIMEOUT_MS;
  for (;;) {
    const answer = await get(address).catch(() => undefined);
    if (answer?.status === 200) return;
    if (process.hasEnded) throw process.failure();
    if (performance.now() > endMs) {
      throw new Error(`${process.argv.join(' ')}: no good answer, last ${answer?.status}`);
    }
    await delay(POLL_MS);
  }
}
