// One JSON line for each request, gathered and written in large pieces. Never waits for the disk:
// what it cannot take in time is dropped, and counted in a line of its own.
import type { AccessRecord } from '../ports/route-messages.ts';

export interface RequestLogSink {
  /** Writes all of it; one call at a time. */
  write(bytes: Buffer): Promise<void>;
}

/** Lines are gathered in pieces of this size, as bytes: as strings they would be moved by the garbage
 * collector again and again until they are written. */
const PIECE_BYTES = 64 * 1024;
const WRITE_INTERVAL_MS = 100;
/** Full pieces that wait while the sink is busy; beyond them lines are dropped. */
const WAITING_PIECES_MAX = 64;
/** After a write that failed: a full disk is asked again, but not all the time. */
const FAILED_PAUSE_MS = 1_000;
/** Of UTF-8, for each UTF-16 unit. */
const UNIT_BYTES_MAX = 3;

interface Piece {
  readonly bytes: Buffer;
  readonly lines: number;
}

export class RequestLog {
  readonly #log: (line: string) => void;
  #sink: RequestLogSink;
  /** Being filled. */
  #bytes = Buffer.allocUnsafeSlow(PIECE_BYTES);
  #length = 0;
  #lines = 0;
  /** Full ones, the oldest first. */
  #waiting: Piece[] = [];
  #dropped = 0;
  #droppedTold = 0;
  #failing = false;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> | undefined;

  constructor(sink: RequestLogSink, log: (line: string) => void) {
    this.#sink = sink;
    this.#log = log;
  }

  /** Lines that were lost since the start. */
  get dropped(): number {
    return this.#dropped;
  }

  record(record: AccessRecord): void {
    const line = lineOf(record);
    if (this.#length + line.length * UNIT_BYTES_MAX > PIECE_BYTES && !this.#startPiece()) {
      this.#dropped += 1;
      return;
    }
    this.#length += this.#bytes.write(line, this.#length);
    this.#lines += 1;
    if (this.#writing) return;
    if (this.#waiting.length > 0) void this.flush();
    else this.#timer ??= setTimeout(() => void this.flush(), WRITE_INTERVAL_MS);
  }

  /** Resolves when all lines so far were written, or lost. */
  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writing ??= this.#writeAll().finally(() => (this.#writing = undefined));
    return this.#writing;
  }

  /** From the next piece on; resolves with the sink that is in use no more. */
  async replaceSink(sink: RequestLogSink): Promise<RequestLogSink> {
    const before = this.#sink;
    this.#sink = sink;
    await this.#writing;
    return before;
  }

  /** False when too much waits already. */
  #startPiece(): boolean {
    if (this.#waiting.length >= WAITING_PIECES_MAX) return false;
    if (this.#length === 0) return true;
    this.#waiting.push({ bytes: this.#bytes.subarray(0, this.#length), lines: this.#lines });
    this.#bytes = Buffer.allocUnsafeSlow(PIECE_BYTES);
    this.#length = 0;
    this.#lines = 0;
    return true;
  }

  /** What is to be written next, with a note of what was lost before it. */
  #nextPiece(): Piece | undefined {
    if (this.#waiting.length === 0) this.#startPiece();
    const note =
      this.#dropped > this.#droppedTold ? droppedLine(this.#dropped - this.#droppedTold) : '';
    const piece = this.#waiting.shift();
    if (note === '') return piece;
    const bytes = Buffer.concat([piece?.bytes ?? Buffer.alloc(0), Buffer.from(note)]);
    return { bytes, lines: piece?.lines ?? 0 };
  }

  async #writeAll(): Promise<void> {
    for (;;) {
      const dropped = this.#dropped;
      const piece = this.#nextPiece();
      if (piece === undefined) return;
      try {
        await this.#sink.write(piece.bytes);
        this.#droppedTold = dropped;
        this.#failing = false;
      } catch (error) {
        this.#dropped += piece.lines;
        if (!this.#failing) this.#log(`the access log cannot be written: ${String(error)}`);
        this.#failing = true;
        this.#timer ??= setTimeout(() => void this.flush(), FAILED_PAUSE_MS);
        return;
      }
    }
  }
}

/** Documented in docs/operating/standalone-balancer.md. */
export function lineOf(record: AccessRecord): string {
  const { upstreamMs, instanceId } = record;
  return (
    `{"time":"${timeOf(record.atMs)}","client":"${record.clientIp}",` +
    `"method":${quoted(record.method)},"host":${quoted(record.host)},` +
    `"path":${quoted(record.path)},"status":${record.status},"bytes":${record.bytes},` +
    `"ms":${decimal(record.durationMs)},` +
    (instanceId === undefined ? '' : `"upstream":"${instanceId}",`) +
    (upstreamMs === undefined ? '' : `"upstreamMs":${decimal(upstreamMs)},`) +
    `"requestId":${quoted(record.requestId)}}\n`
  );
}

function droppedLine(count: number): string {
  return `{"time":"${timeOf(Date.now())}","dropped":${count}}\n`;
}

/** What JSON wants escaped, and what is not ASCII: a client may send any byte. */
const UNSAFE = /["\\\x00-\x1f\x7f-\uffff]/;

const quoted = (text: string): string => (UNSAFE.test(text) ? JSON.stringify(text) : `"${text}"`);

/** With two digits; from integers, which cost a fraction of what a double does. */
function decimal(value: number): string {
  const hundredths = Math.round(value * 100);
  const whole = Math.floor(hundredths / 100);
  const rest = hundredths - whole * 100;
  return rest === 0 ? `${whole}` : rest < 10 ? `${whole}.0${rest}` : `${whole}.${rest}`;
}

let secondKnown = NaN;
let secondText = '';

/** `2026-03-01T12:00:00.123Z`; a date is made once a second, not for each line. */
function timeOf(wallMs: number): string {
  const whole = Math.floor(wallMs);
  const second = Math.floor(whole / 1_000);
  if (second !== secondKnown) {
    secondKnown = second;
    secondText = new Date(second * 1_000).toISOString().slice(0, -4);
  }
  const ms = whole - second * 1_000;
  return `${secondText}${ms < 10 ? '00' : ms < 100 ? '0' : ''}${ms}Z`;
}
