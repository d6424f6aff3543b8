// Asks again, at growing intervals, until the answer is the one waited for or the signal fires.
import { setTimeout as sleep } from 'node:timers/promises';
import { LIMITS } from '../../domain/limits.ts';

export async function poll<T>(
  read: () => Promise<T>,
  isOver: (answer: T) => boolean,
  signal: AbortSignal,
): Promise<T> {
  const { pollIntervalMs, pollIntervalMsMax } = LIMITS.certificates;
  for (let waitMs: number = pollIntervalMs; ; waitMs = Math.min(waitMs * 1.5, pollIntervalMsMax)) {
    const answer = await read();
    if (isOver(answer)) return answer;
    await sleep(waitMs, undefined, { signal });
  }
}
