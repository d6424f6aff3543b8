// Request lines of the balancers, one `router` log per app, and signs of life for its instances.
import { join } from 'node:path';
import { LogWriter } from '../../lib/log-writer.ts';
import { logsDirectory, type Paths } from '../../ports/paths.ts';
import type { AccessRecord } from '../../ports/route-messages.ts';

/** Writers of apps that were quiet for this long are closed. */
const QUIET_MS = 60_000;

export class AccessLog {
  readonly #paths: Paths;
  readonly #onServed: (instanceId: string) => void;
  readonly #writers = new Map<number, { writer: LogWriter; usedAtMs: number }>();

  constructor(paths: Paths, onServed: (instanceId: string) => void) {
    this.#paths = paths;
    this.#onServed = onServed;
  }

  take(records: readonly AccessRecord[]): void {
    for (const record of records) {
      if (record.appId === undefined) continue;
      // Not what a visitor gave up waiting for: an instance that hangs would never be replaced.
      const answered = record.upstreamMs !== undefined;
      if (record.instanceId !== undefined && answered) this.#onServed(record.instanceId);
      this.#writer(record.appId).append(requestLine(record), 'stdout', record.atMs);
    }
    void this.#closeQuiet();
  }

  async close(): Promise<void> {
    await Promise.all([...this.#writers.values()].map(({ writer }) => writer.close()));
    this.#writers.clear();
  }

  #writer(appId: number): LogWriter {
    const known = this.#writers.get(appId);
    const directory = join(logsDirectory(this.#paths), String(appId));
    const writer = known?.writer ?? new LogWriter(join(directory, 'router~-~balancer.log'));
    this.#writers.set(appId, { writer, usedAtMs: performance.now() });
    return writer;
  }

  async #closeQuiet(): Promise<void> {
    const quietSinceMs = performance.now() - QUIET_MS;
    for (const [appId, { writer, usedAtMs }] of this.#writers) {
      if (usedAtMs > quietSinceMs) continue;
      this.#writers.delete(appId);
      await writer.close();
    }
  }
}

/** `203.0.113.9 GET /path 200 1234 B 12 ms web a7-3 id=...` */
export function requestLine(record: AccessRecord): string {
  const { clientIp, method, host, path, status, bytes, durationMs, instanceId } = record;
  const server = instanceId ?? 'static';
  const request = `${clientIp} ${method} ${host}${path}`;
  return `${request} ${status} ${bytes} B ${Math.round(durationMs)} ms ${server} ${record.requestId}`;
}
