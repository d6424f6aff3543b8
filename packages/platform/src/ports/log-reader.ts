// Reading back what processes wrote, for the control API and for diagnosis.
import type { LogLine } from '@tandem/protocol';

export interface LogFilter {
  /** `web`, or `web.1`. */
  readonly process?: string;
  /** `v3`, or `d7` for the build of deploy 7. */
  readonly release?: string;
  readonly sinceMs?: number;
  /** Plain text that the line contains, case-sensitive. */
  readonly grep?: string;
}

export interface LogRequest {
  /** The app's own directory under logsDirectory(paths). */
  readonly directory: string;
  readonly filter: LogFilter;
  /** Last lines to begin with; absent: all that match. */
  readonly tail?: number;
  readonly follow: boolean;
  readonly signal: AbortSignal;
}

/** Lines of all files of one app, merged by time, across rotations, restarts and releases. */
export type ReadLogs = (request: LogRequest) => AsyncIterable<LogLine>;
