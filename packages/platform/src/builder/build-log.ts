// The log of a build: our own lines among those of the sandboxes, and the end of a step's output.
import { appendFile, open, readFile, rm, stat } from 'node:fs/promises';
import { formatLogLines, parseLogLine } from '../lib/log-line.ts';
import type { Clock } from '../ports/clock.ts';

const TAIL_BYTES_MAX = 128 * 1024;

export class BuildLog {
  readonly path: string;
  readonly #clock: Clock;

  constructor(path: string, clock: Clock) {
    this.path = path;
    this.#clock = clock;
  }

  async say(text: string): Promise<void> {
    await appendFile(this.path, formatLogLines(this.#clock.nowMs(), 'stdout', text));
  }

  /** All of another one, which is gone then. */
  async take(other: BuildLog): Promise<void> {
    if ((await other.sizeBytes()) === 0) return;
    await appendFile(this.path, await readFile(other.path));
    await rm(other.path);
  }

  async sizeBytes(): Promise<number> {
    return await stat(this.path).then(
      (status) => status.size,
      () => 0,
    );
  }

  /** Text written since `fromBytes`, at most the last TAIL_BYTES_MAX of it. */
  async tail(fromBytes: number): Promise<string> {
    const size = await this.sizeBytes();
    const start = Math.max(fromBytes, size - TAIL_BYTES_MAX);
    if (size <= start) return '';
    const file = await open(this.path, 'r');
    try {
      const { buffer, bytesRead } = await file.read(
        Buffer.alloc(size - start),
        0,
        size - start,
        start,
      );
      return plainText(buffer.subarray(0, bytesRead));
    } finally {
      await file.close();
    }
  }
}

function plainText(bytes: Buffer): string {
  const pieces: string[] = [];
  for (const raw of bytes.toString('latin1').split('\n')) {
    const line = parseLogLine(Buffer.from(raw, 'latin1'));
    if (line !== undefined) pieces.push(line.text.toString('utf8') + (line.partial ? '' : '\n'));
  }
  return pieces.join('');
}
