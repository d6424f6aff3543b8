// Whole lines from the raw ones of a series: parts (`P`) of a stream are put together until its next
// `F`. A line over the bound comes out as several, so that no output can fill memory and none is lost.
import { LIMITS } from '../domain/limits.ts';
import { characterEnd, parseLogLine, type LogStream, type RawLogLine } from '../lib/log-line.ts';

export interface WholeLine {
  readonly atMs: number;
  readonly stream: LogStream;
  readonly text: string;
}

interface Pending {
  parts: Buffer[];
  sizeBytes: number;
  atMs: number;
}

export class LineJoiner {
  readonly #pending = new Map<LogStream, Pending>();
  #lastAtMs: number | undefined;
  #touchedAtMs = 0;

  get isPending(): boolean {
    return this.#pending.size > 0;
  }

  /** Time (monotonic) of the last raw line: an old pending part is a prompt, not half a line. */
  get touchedAtMs(): number {
    return this.#touchedAtMs;
  }

  /** `fallbackAtMs` is the time of lines that have none, before any that has one. */
  push(line: Buffer, fallbackAtMs: number): WholeLine[] {
    const raw = parseLogLine(line);
    if (raw === undefined) return this.#garbage(line, fallbackAtMs);
    this.#lastAtMs = raw.atMs;
    this.#touchedAtMs = performance.now();
    return this.#join(raw);
  }

  /** What is left when no `F` will come. */
  flush(): WholeLine[] {
    const lines = [...this.#pending].map(([stream, { parts, atMs }]) => ({
      atMs,
      stream,
      text: Buffer.concat(parts).toString('utf8'),
    }));
    this.#pending.clear();
    return lines;
  }

  #join({ stream, atMs, partial, text }: RawLogLine): WholeLine[] {
    const pending = this.#pending.get(stream);
    if (pending === undefined && !partial && text.length <= LIMITS.logs.lineBytesMax) {
      return [{ atMs, stream, text: text.toString('utf8') }];
    }
    const joined = pending ?? { parts: [], sizeBytes: 0, atMs };
    joined.parts.push(text);
    joined.sizeBytes += text.length;
    joined.atMs = atMs;
    const lines = joined.sizeBytes > LIMITS.logs.lineBytesMax ? cutOff(joined, stream) : [];
    if (partial) {
      this.#pending.set(stream, joined);
      return lines;
    }
    this.#pending.delete(stream);
    return [...lines, { atMs, stream, text: Buffer.concat(joined.parts).toString('utf8') }];
  }

  /** Torn by a power cut, or not written by conmon: shown as it is, near its neighbours. */
  #garbage(line: Buffer, fallbackAtMs: number): WholeLine[] {
    const text = line.toString('utf8').replaceAll('\0', '');
    if (text.trim() === '') return [];
    return [{ atMs: this.#lastAtMs ?? fallbackAtMs, stream: 'stdout', text }];
  }
}

/** Takes full lines off the front of `pending`. */
function cutOff(pending: Pending, stream: LogStream): WholeLine[] {
  const lines: WholeLine[] = [];
  let rest = Buffer.concat(pending.parts);
  while (rest.length > LIMITS.logs.lineBytesMax) {
    const end = characterEnd(rest, LIMITS.logs.lineBytesMax);
    lines.push({ atMs: pending.atMs, stream, text: rest.toString('utf8', 0, end) });
    rest = rest.subarray(end);
  }
  pending.parts = [rest];
  pending.sizeBytes = rest.length;
  return lines;
}
