// Where request lines go: a file of its own, or what stdout is.
import { close, fstatSync, open, write } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { RequestLogSink } from '../../balancer/index.ts';
import type { AccessLogTarget } from './messages.ts';

const openFile = promisify(open);
const closeFile = promisify(close);
const writeFile = promisify(write);

export const LOG_MODE = 0o640;
const STDOUT = 1;
/** PIPE_BUF of Linux: writes up to this do not mix with those of other workers. */
const PIPE_WRITE_BYTES = 4_096;
/** Somebody made the pipe non-blocking and does not read. */
const FULL_PAUSE_MS = 10;

export class LogFile implements RequestLogSink {
  readonly #fd: number;
  readonly #pieceBytesMax: number;

  private constructor(fd: number) {
    this.#fd = fd;
    const stats = fstatSync(fd);
    this.#pieceBytesMax = stats.isFIFO() || stats.isSocket() ? PIPE_WRITE_BYTES : Infinity;
  }

  static async open(target: Exclude<AccessLogTarget, { kind: 'off' }>): Promise<LogFile> {
    return new LogFile(
      target.kind === 'stdout' ? STDOUT : await openFile(target.path, 'a', LOG_MODE),
    );
  }

  async write(bytes: Buffer): Promise<void> {
    let start = 0;
    while (start < bytes.length) {
      const end = this.#endOfPiece(bytes, start);
      try {
        start += (await writeFile(this.#fd, bytes, start, end - start)).bytesWritten;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
        await sleep(FULL_PAUSE_MS);
      }
    }
  }

  async close(): Promise<void> {
    if (this.#fd !== STDOUT) await closeFile(this.#fd);
  }

  /** Behind the last whole line that fits; a longer line goes as it is. */
  #endOfPiece(bytes: Buffer, start: number): number {
    const most = start + this.#pieceBytesMax;
    if (most >= bytes.length) return bytes.length;
    const lineEnd = bytes.lastIndexOf(0x0a, most - 1);
    if (lineEnd >= start) return lineEnd + 1;
    const longLineEnd = bytes.indexOf(0x0a, most);
    return longLineEnd < 0 ? bytes.length : longLineEnd + 1;
  }
}
