// Looks at a server until it is healthy, within the time its start may take.
import { TandemError } from '@tandem/protocol';
import type { Clock } from '../ports/clock.ts';
import type { ServiceHealth } from '../ports/service-kind.ts';

const PAUSE_MS = 50;

export interface HealthWait {
  /** For the error: "PostgreSQL". */
  readonly name: string;
  readonly look: () => Promise<ServiceHealth>;
  readonly timeoutMs: number;
  /** The next command, and a file if no command shows it. */
  readonly hint: string;
  readonly log?: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Throws SERVICE_FAILED with what was seen last, or the reason of `signal`. */
export async function waitUntilHealthy(wait: HealthWait): Promise<void> {
  const { name, look, timeoutMs, hint, log, clock, signal } = wait;
  const deadlineMs = clock.monotonicMs() + timeoutMs;
  for (;;) {
    const { healthy, detail } = await look();
    if (healthy) return;
    if (clock.monotonicMs() > deadlineMs) {
      throw new TandemError('SERVICE_FAILED', `${name} does not answer: ${detail}`, {
        hint,
        log,
      });
    }
    await clock.sleep(PAUSE_MS, signal);
  }
}
