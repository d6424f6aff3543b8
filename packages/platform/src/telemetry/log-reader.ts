// The log of an app: all its files, merged in order of time; then, when followed, whatever is added,
// across rotations, for as long as somebody listens. Bounded in memory however large the files are.
import type { LogLine } from '@tandem/protocol';
import { LIMITS } from '../domain/limits.ts';
import { DirectoryWatch } from './directory-watch.ts';
import { findStart, lastOf, type Start } from './find-start.ts';
import type { WholeLine } from './line-joiner.ts';
import { groupBySeries, listLogFiles, type LogFile, type LogSeriesName } from './log-files.ts';
import { mergeByTime, type TimedSource } from './merge-by-time.ts';
import { SeriesReader } from './series-reader.ts';

/** Half a line is shown after this time: it is a prompt, or its writer has died. */
const PARTIAL_WAIT_MS = 1_000;
/** How far a file's time of change may lie before the time of its last line. */
const CLOCK_SLACK_MS = 1_000;
/** Far more than exist at one time. */
const SERIES_MAX = 2 * LIMITS.logs.filesPerAppMax;

export interface LogFilter {
  /** `web` means `web.1`, `web.2` ...; `web.1` means itself. */
  readonly process?: string;
  /** `v3`, or `d7` for the build of deploy 7. */
  readonly release?: string;
  readonly sinceMs?: number;
  /** A piece of text, not a pattern; upper and lower case are the same. */
  readonly grep?: string;
}

export interface ReadLogsOptions {
  /** `<logsDirectory>/<appId>`; need not exist yet. */
  readonly directory: string;
  readonly filter?: LogFilter;
  /** Last lines only, at most LIMITS.logs.tailLinesMax. Undefined: everything there is. */
  readonly tail?: number;
  readonly follow: boolean;
  /** Ends the iteration without an error. */
  readonly signal: AbortSignal;
}

/** Ends after what is there, or with `signal` when it follows. */
export async function* readLogs(options: ReadLogsOptions): AsyncGenerator<LogLine> {
  const reader = new LogReader(options);
  for await (const line of reader.history()) {
    if (options.signal.aborted) return;
    yield line;
  }
  if (options.follow) yield* reader.follow();
}

interface NamedLine extends WholeLine {
  readonly name: LogSeriesName;
}

class LogReader {
  readonly #options: ReadLogsOptions;
  readonly #filter: LogFilter;
  readonly #grep: string | undefined;
  readonly #series = new Map<string, SeriesReader>();

  constructor(options: ReadLogsOptions) {
    this.#options = options;
    this.#filter = options.filter ?? {};
    this.#grep = this.#filter.grep?.toLowerCase();
  }

  async *history(): AsyncGenerator<LogLine> {
    const { tail } = this.#options;
    const tailMax = tail === undefined ? undefined : Math.min(tail, LIMITS.logs.tailLinesMax);
    const series = [...groupBySeries(await this.#list()).values()];
    const starts = await this.#findStarts(series, tailMax);
    const matchCount = starts.reduce((total, { start }) => total + start.matchCount, 0);
    let skip = tailMax === undefined ? 0 : Math.max(0, matchCount - tailMax);
    const sources = starts.map(({ parts, start }) =>
      this.#source(parts, start.firstAtMs, !this.#options.follow),
    );
    for await (const line of mergeByTime(sources)) {
      if (skip > 0) skip -= 1;
      else yield toLogLine(line);
    }
  }

  async *follow(): AsyncGenerator<LogLine> {
    const { directory, signal } = this.#options;
    const watch = new DirectoryWatch(directory, signal);
    try {
      while (!signal.aborted) {
        const heard = watch.heard;
        const beforeMs = performance.now();
        const series = groupBySeries(await this.#list());
        const lookMs = performance.now() - beforeMs;
        const grown = [...series.values()].filter((parts) => this.#readerOf(parts).hasNew(parts));
        const sources = grown.map((parts) => this.#source(parts, -Infinity, false));
        for await (const line of mergeByTime(sources)) {
          if (signal.aborted) return;
          yield toLogLine(line);
        }
        yield* this.#abandonedLines(series);
        this.#forgetGone(series);
        await watch.changed(heard, lookMs);
      }
    } finally {
      watch.close();
    }
  }

  /** Newest series first: once N lines are found, series that ended before them are passed over. */
  async #findStarts(
    series: readonly LogFile[][],
    tail: number | undefined,
  ): Promise<{ parts: LogFile[]; start: Start }[]> {
    const starts: { parts: LogFile[]; start: Start }[] = [];
    const question = {
      tail,
      sinceMs: this.#filter.sinceMs,
      matches: (line: WholeLine) => this.#matches(line),
      isFinal: !this.#options.follow,
      signal: this.#options.signal,
    };
    let newestMs: number[] = [];
    for (const parts of series.toSorted((a, b) => modifiedAtMs(b) - modifiedAtMs(a))) {
      const lastMs = modifiedAtMs(parts) + CLOCK_SLACK_MS;
      const isFull = tail !== undefined && newestMs.length >= tail;
      const isPassed = isFull && lastMs < (newestMs[0] ?? Infinity);
      const isOld = lastMs < (this.#filter.sinceMs ?? -Infinity);
      const start = isPassed || isOld ? undefined : await findStart(parts, question);
      this.#readerOf(parts).startAt(parts, start?.fromBytes ?? Infinity);
      if (start === undefined) continue;
      starts.push({ parts, start });
      newestMs = lastOf(
        [...newestMs, ...start.matchTimesMs].sort((a, b) => a - b),
        tail ?? 0,
      );
    }
    return starts;
  }

  #source(parts: readonly LogFile[], firstAtMs: number, isFinal: boolean): TimedSource<NamedLine> {
    return { firstAtMs, open: () => this.#read(parts, isFinal) };
  }

  async *#read(parts: readonly LogFile[], isFinal: boolean): AsyncGenerator<NamedLine[]> {
    const [name] = parts;
    if (name === undefined) return;
    for await (const lines of this.#readerOf(parts).read(parts, isFinal)) {
      yield this.#select(lines, name);
    }
  }

  *#abandonedLines(series: ReadonlyMap<string, readonly LogFile[]>): Generator<LogLine> {
    for (const [key, reader] of this.#series) {
      const [name] = series.get(key) ?? [];
      if (name === undefined) continue;
      const lines = this.#select(reader.takeAbandoned(PARTIAL_WAIT_MS), name);
      yield* lines.map(toLogLine);
    }
  }

  /** Late, because a listing may miss a file that is being renamed. */
  #forgetGone(series: ReadonlyMap<string, unknown>): void {
    if (this.#series.size <= SERIES_MAX) return;
    for (const key of this.#series.keys()) {
      if (!series.has(key)) this.#series.delete(key);
    }
  }

  #readerOf(parts: readonly LogFile[]): SeriesReader {
    const key = parts[0]?.series ?? '';
    const known = this.#series.get(key);
    if (known !== undefined) return known;
    const reader = new SeriesReader();
    this.#series.set(key, reader);
    return reader;
  }

  #select(lines: readonly WholeLine[], name: LogSeriesName): NamedLine[] {
    return lines.filter((line) => this.#matches(line)).map((line) => ({ ...line, name }));
  }

  #matches({ atMs, text }: WholeLine): boolean {
    if (this.#filter.sinceMs !== undefined && atMs < this.#filter.sinceMs) return false;
    return this.#grep === undefined || text.toLowerCase().includes(this.#grep);
  }

  #list(): Promise<LogFile[]> {
    const { process, release } = this.#filter;
    return listLogFiles(
      this.#options.directory,
      (name) =>
        (process === undefined || isProcess(name.process, process)) &&
        (release === undefined || name.release === release),
    );
  }
}

function isProcess(name: string, wanted: string): boolean {
  return name === wanted || name.startsWith(`${wanted}.`);
}

function modifiedAtMs(parts: readonly LogFile[]): number {
  return Math.max(...parts.map((part) => part.modifiedAtMs));
}

function toLogLine({ atMs, stream, text, name }: NamedLine): LogLine {
  const { process, release } = name;
  return { atMs: Math.floor(atMs), process, release, stream, text };
}
