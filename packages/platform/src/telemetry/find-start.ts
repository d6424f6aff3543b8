// Where in a series to begin, so that the last N lines (or all since a time) are read without reading
// what comes before: looks at ever larger pieces of its end.
import type { WholeLine } from './line-joiner.ts';
import type { LogFile } from './log-files.ts';
import { SeriesReader } from './series-reader.ts';

const WINDOW_BYTES_FIRST = 256 * 1024;
const WINDOW_FACTOR = 4;
/** The first line of each stream in a window may lack its beginning. */
const TORN_LINES_MAX = 2;

export interface StartQuestion {
  /** Number of matching lines wanted; undefined: all of them. */
  readonly tail: number | undefined;
  readonly sinceMs: number | undefined;
  readonly matches: (line: WholeLine) => boolean;
  /** As for SeriesReader.read. */
  readonly isFinal: boolean;
  /** Ends the search early, with any result. */
  readonly signal: AbortSignal;
}

export interface Start {
  /** For SeriesReader.startAt. */
  readonly fromBytes: number;
  /** Of the first whole line there, matching or not; Infinity when there is none yet. */
  readonly firstAtMs: number;
  /** Number of matching lines from there on. Only counted for a tail. */
  readonly matchCount: number;
  /** Times of the last `tail` of them, in order. */
  readonly matchTimesMs: readonly number[];
}

export async function findStart(
  parts: readonly LogFile[],
  question: StartQuestion,
): Promise<Start> {
  const totalBytes = parts.reduce((total, part) => total + part.sizeBytes, 0);
  const isBounded = question.tail !== undefined || question.sinceMs !== undefined;
  for (let windowBytes = WINDOW_BYTES_FIRST; ; windowBytes *= WINDOW_FACTOR) {
    const fromBytes = isBounded ? Math.max(0, totalBytes - windowBytes) : 0;
    const start = await scan(parts, fromBytes, question);
    if (question.signal.aborted || fromBytes === 0) return start;
    if (isEnough(start, question)) return start;
  }
}

function isEnough(start: Start, { tail, sinceMs }: StartQuestion): boolean {
  if (tail !== undefined && start.matchCount >= tail + TORN_LINES_MAX) return true;
  return sinceMs !== undefined && start.firstAtMs < sinceMs;
}

async function scan(
  parts: readonly LogFile[],
  fromBytes: number,
  { tail, matches, isFinal, signal }: StartQuestion,
): Promise<Start> {
  const reader = new SeriesReader();
  reader.startAt(parts, fromBytes);
  let firstAtMs = Infinity;
  let matchCount = 0;
  let matchTimesMs: number[] = [];
  for await (const lines of reader.read(parts, isFinal)) {
    firstAtMs = Math.min(firstAtMs, lines[0]?.atMs ?? Infinity);
    // Without a tail, only where the series begins is asked for.
    if (signal.aborted || (tail === undefined && firstAtMs < Infinity)) break;
    const times = lines.filter(matches).map((line) => line.atMs);
    matchCount += times.length;
    matchTimesMs = lastOf([...matchTimesMs, ...times], tail ?? 0);
  }
  return { fromBytes, firstAtMs, matchCount, matchTimesMs };
}

export function lastOf<T>(values: readonly T[], count: number): T[] {
  return count === 0 ? [] : values.slice(-count);
}
