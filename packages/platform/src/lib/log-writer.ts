// Appends lines of our own to a log file: what a build says, request lines, notes on an instance. A
// batch is one write. Never blocks or fails its caller: what cannot be written is counted, and the
// gap is told in the file.
import { mkdir, open, stat, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { formatLogLines, type LogStream } from './log-line.ts';

const QUEUE_BYTES_MAX = 1024 * 1024;
/** How soon a writer notices that its file was rotated away. */
const ROTATION_CHECK_MS = 1_000;

interface Batch {
  text: string;
  lines: number;
  /** Dropped lines that this batch tells of. */
  told: number;
}

const emptyBatch = (): Batch => ({ text: '', lines: 0, told: 0 });

export class LogWriter {
  readonly #path: string;
  #file: FileHandle | undefined;
  #checkedAtMs = 0;
  #queue = emptyBatch();
  #writing: Promise<void> | undefined;
  /** Dropped lines that the file does not tell of yet. */
  #untold = 0;
  #dropped = 0;

  /** Makes the file and its directory with the first line. */
  constructor(path: string) {
    this.#path = path;
  }

  /** Lines that were not written, since the start. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Queues the lines of `text`; they are written in order, soon. */
  append(text: string, stream: LogStream = 'stdout', atMs = Date.now()): void {
    const lines = formatLogLines(atMs, stream, text);
    if (this.#queue.text.length + lines.length > QUEUE_BYTES_MAX) {
      this.#drop(countLines(lines));
      return;
    }
    this.#tellGap();
    this.#queue.text += lines;
    this.#queue.lines += countLines(lines);
    this.#writing ??= this.#writeAll();
  }

  /** Resolves when everything appended so far is in the file, or counted as dropped. */
  async flush(): Promise<void> {
    await this.#writing;
  }

  async close(): Promise<void> {
    await this.flush();
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }

  async #writeAll(): Promise<void> {
    // Whatever is appended in this turn of the event loop joins the first batch.
    await new Promise(setImmediate);
    while (this.#queue.text !== '') {
      const batch = this.#queue;
      this.#queue = emptyBatch();
      const isWritten = await this.#write(batch);
      if (isWritten) this.#tellGap();
    }
    this.#writing = undefined;
  }

  async #write({ text, lines, told }: Batch): Promise<boolean> {
    try {
      const file = await this.#current();
      await file.appendFile(text);
      return true;
    } catch {
      this.#drop(lines);
      this.#untold += told;
      return false;
    }
  }

  /** Stands where the dropped lines would have stood. */
  #tellGap(): void {
    if (this.#untold === 0) return;
    const gap = `tandem: ${this.#untold} lines were dropped`;
    this.#queue.text += formatLogLines(Date.now(), 'stderr', gap);
    this.#queue.told += this.#untold;
    this.#untold = 0;
  }

  #drop(lines: number): void {
    this.#dropped += lines;
    this.#untold += lines;
  }

  /** The file under the path: the one we had, or a new one when ours was renamed. */
  async #current(): Promise<FileHandle> {
    const nowMs = performance.now();
    if (this.#file !== undefined && nowMs - this.#checkedAtMs < ROTATION_CHECK_MS) {
      return this.#file;
    }
    this.#checkedAtMs = nowMs;
    if (this.#file !== undefined) {
      const [ours, there] = await Promise.all([
        this.#file.stat(),
        stat(this.#path).catch(() => undefined),
      ]);
      if (ours.ino === there?.ino && ours.dev === there.dev) return this.#file;
      await this.#file.close();
      this.#file = undefined;
    }
    await mkdir(dirname(this.#path), { recursive: true });
    this.#file = await open(this.#path, 'a', 0o640);
    return this.#file;
  }
}

function countLines(text: string): number {
  return text.split('\n').length - 1;
}
