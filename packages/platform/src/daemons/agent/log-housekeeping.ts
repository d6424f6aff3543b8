// Rotates and bounds the log files of all apps at a steady pace.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../ports/clock.ts';
import type { LogOwner } from '../../runner/runner.ts';
import { logsDirectory, type Paths } from '../../ports/paths.ts';
import { LogRotator } from '../../telemetry/log-rotation.ts';

const INTERVAL_MS = 10_000;

export interface LogHousekeeping {
  readonly paths: Paths;
  readonly clock: Clock;
  readonly owner: LogOwner;
  readonly report: (text: string, error: unknown) => void;
  readonly signal: AbortSignal;
}

export async function keepLogs(options: LogHousekeeping): Promise<void> {
  const { paths, clock, owner, signal } = options;
  const rotator = new LogRotator(clock);
  const writers = {
    reopen: (id: string) => owner.reopenLog(id),
    isWriting: (id: string) => owner.isWriting(id),
  };
  while (!signal.aborted) {
    const root = logsDirectory(paths);
    for (const appId of await readdir(root).catch(() => [])) {
      await rotator.rotate(join(root, appId), writers).catch((error: unknown) => {
        options.report(`logs of app ${appId} could not be rotated`, error);
      });
    }
    await clock.sleep(INTERVAL_MS, signal).catch(() => undefined);
  }
}
