// The last lines that a process of an app wrote. A log that cannot be read costs the explanation,
// nothing else.
import type { NexusContext } from '../context.ts';
import type { AppDocument } from '../documents/schemas.ts';
import { appLogsDirectory } from '../process-specs.ts';

const TAIL_LINES = 200;
const READ_TIMEOUT_MS = 3_000;

export interface LogFilter {
  readonly process?: string;
  /** `v3`, or `d7` for a build. */
  readonly release: string;
  readonly sinceMs?: number;
}

export async function readTail(
  context: NexusContext,
  app: AppDocument,
  filter: LogFilter,
): Promise<string[]> {
  const lines: string[] = [];
  const request = {
    directory: appLogsDirectory(context, app.id),
    filter,
    tail: TAIL_LINES,
    follow: false,
    signal: AbortSignal.timeout(READ_TIMEOUT_MS),
  };
  try {
    for await (const line of context.readLogs(request)) lines.push(line.text);
  } catch (error) {
    context.report('a log could not be read', error);
  }
  return lines;
}
