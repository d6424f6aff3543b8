// The events of a deploy from the first to `finished`, over as many connections as it takes: the
// agent may restart and a tunnel may break while the deploy goes on.
import { setTimeout as sleep } from 'node:timers/promises';
import { TandemError, hasCode, type DeployEvent, type DeployStarted } from '@tandem/protocol';
import type { Connection } from '../connection/connection.ts';

export interface FollowOptions {
  readonly signal: AbortSignal;
  /** How long the platform may be away before we give up. */
  readonly patienceMs?: number;
  /** Told when the connection is lost, and (undefined) when it is back. */
  readonly onAway: (sinceMs: number | undefined) => void;
}

const PATIENCE_MS = 60_000;
const DELAY_MS_FIRST = 100;
const DELAY_MS_MAX = 3_000;

export async function* followDeploy(
  connection: Connection,
  { app, deploy }: Pick<DeployStarted, 'app' | 'deploy'>,
  { signal, patienceMs = PATIENCE_MS, onAway }: FollowOptions,
): AsyncGenerator<DeployEvent> {
  let from = 0;
  let awaySinceMs: number | undefined;
  for (let attempt = 0; !signal.aborted; attempt++) {
    try {
      for await (const event of connection.client.deployEvents(app, deploy, { from, signal })) {
        if (awaySinceMs !== undefined) onAway(undefined);
        awaySinceMs = undefined;
        attempt = 0;
        if (event.seq < from) continue;
        from = event.seq + 1;
        yield event;
        if (event.type === 'finished') return;
      }
    } catch (error) {
      if (!hasCode(error, 'PLATFORM_UNREACHABLE')) throw error;
    }
    if (signal.aborted) return;
    awaySinceMs ??= Date.now();
    if (Date.now() - awaySinceMs > patienceMs) throw goneFor(app, deploy, patienceMs);
    onAway(awaySinceMs);
    await pause(attempt, signal);
    await connection.revive().catch(() => undefined);
  }
}

/** Exponential, with jitter, so that many waiting clients do not come back at once. */
async function pause(attempt: number, signal: AbortSignal): Promise<void> {
  const delayMs = Math.min(DELAY_MS_FIRST * 2 ** attempt, DELAY_MS_MAX);
  const jittered = delayMs * (0.5 + Math.random() / 2);
  await sleep(jittered, undefined, { signal }).catch(() => undefined);
}

function goneFor(app: string, deploy: number, patienceMs: number): TandemError {
  return new TandemError(
    'PLATFORM_UNREACHABLE',
    `The platform has not answered for ${Math.round(patienceMs / 1_000)} s; ` +
      'the deploy goes on or is undone without us.',
    { hint: `tandem deploys ${deploy} -a ${app}` },
  );
}
