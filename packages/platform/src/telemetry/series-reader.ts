// Reads what is new in a series, part after part. How far each file was read is kept under the
// file's identity, not its name: so a rotation neither loses nor repeats a line.
import { open, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { LIMITS } from '../domain/limits.ts';
import { LineJoiner, type WholeLine } from './line-joiner.ts';
import { LineSplitter } from './line-splitter.ts';
import { identityOf, listLogFiles, type LogFile } from './log-files.ts';

const CHUNK_BYTES = 64 * 1024;
/** A line of the format is a part of at most 8 KiB and its head; beyond this bound it is garbage. */
const PHYSICAL_LINE_BYTES_MAX = LIMITS.logs.lineBytesMax * 2;
/** Far more than the parts of a series that exist at one time. */
const OFFSETS_MAX = 2 * LIMITS.logs.filesPerAppMax;
const LINE_FEED = 0x0a;

export class SeriesReader {
  readonly #joiner = new LineJoiner();
  /** Identity -> bytes read, up to the end of a line. */
  readonly #offsets = new Map<string, number>();
  /** Set while the next line to come may have lost its beginning. */
  #skipsToLineStart = false;

  /** Begins at this byte of the parts put together, or at the first line after it. */
  startAt(parts: readonly LogFile[], fromBytes: number): void {
    let leftBytes = fromBytes;
    for (const part of parts) {
      const skippedBytes = Math.min(part.sizeBytes, leftBytes);
      leftBytes -= skippedBytes;
      const isInside = skippedBytes > 0 && skippedBytes < part.sizeBytes;
      // One byte back: if that is a line feed, the line at this very byte is whole.
      this.#offsets.set(part.identity, isInside ? skippedBytes - 1 : skippedBytes);
      this.#skipsToLineStart ||= isInside;
    }
  }

  hasNew(parts: readonly LogFile[]): boolean {
    return parts.some((part) => part.sizeBytes > this.#offsetOf(part));
  }

  /**
   * Lines from where the last call ended to the sizes in `parts`, in batches. `isFinal`: nothing
   * will be read after this, so half a line at the end comes out, too.
   */
  async *read(parts: readonly LogFile[], isFinal: boolean): AsyncGenerator<WholeLine[]> {
    this.#forgetGone(parts);
    for (const part of parts) {
      if (part.sizeBytes <= this.#offsetOf(part)) continue;
      // Nothing is added to a part any more once a younger one exists.
      yield* this.#readPart(part, isFinal || part !== parts.at(-1));
    }
    if (isFinal) yield this.#joiner.flush();
  }

  /** Half lines that have waited this long for their end. */
  takeAbandoned(waitedMs: number): WholeLine[] {
    if (!this.#joiner.isPending) return [];
    const isAbandoned = performance.now() - this.#joiner.touchedAtMs >= waitedMs;
    return isAbandoned ? this.#joiner.flush() : [];
  }

  /** Late, because a listing may miss a file that is being renamed. */
  #forgetGone(parts: readonly LogFile[]): void {
    if (this.#offsets.size <= OFFSETS_MAX) return;
    const there = new Set(parts.map((part) => part.identity));
    for (const identity of this.#offsets.keys()) {
      if (!there.has(identity)) this.#offsets.delete(identity);
    }
  }

  #offsetOf(part: LogFile): number {
    return this.#offsets.get(part.identity) ?? 0;
  }

  async *#readPart(part: LogFile, isComplete: boolean): AsyncGenerator<WholeLine[]> {
    const file = await openFile(part);
    if (file === undefined) return;
    const splitter = new LineSplitter(PHYSICAL_LINE_BYTES_MAX);
    try {
      for await (const { chunk, endBytes } of chunksOf(
        file,
        this.#offsetOf(part),
        part.sizeBytes,
      )) {
        const lines = splitter.push(this.#fromLineStart(chunk));
        this.#offsets.set(part.identity, endBytes - splitter.carriedBytes);
        yield this.#join(lines, part);
      }
      if (isComplete) {
        this.#offsets.set(part.identity, part.sizeBytes);
        this.#skipsToLineStart = false;
        yield this.#join(splitter.end(), part);
      }
    } finally {
      await file.close();
    }
  }

  #fromLineStart(chunk: Buffer): Buffer {
    if (!this.#skipsToLineStart) return chunk;
    const end = chunk.indexOf(LINE_FEED);
    if (end < 0) return chunk.subarray(chunk.length);
    this.#skipsToLineStart = false;
    return chunk.subarray(end + 1);
  }

  #join(lines: readonly Buffer[], part: LogFile): WholeLine[] {
    return lines.flatMap((line) => this.#joiner.push(line, part.modifiedAtMs));
  }
}

async function* chunksOf(
  file: FileHandle,
  fromBytes: number,
  toBytes: number,
): AsyncGenerator<{ chunk: Buffer; endBytes: number }> {
  let position = fromBytes;
  while (position < toBytes) {
    const buffer = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, toBytes - position));
    const { bytesRead } = await file.read(buffer, 0, buffer.length, position);
    if (bytesRead === 0) return;
    position += bytesRead;
    yield { chunk: buffer.subarray(0, bytesRead), endBytes: position };
  }
}

/** By identity: between the listing and now a rotation may have renamed it. Undefined: it is gone. */
async function openFile(part: LogFile): Promise<FileHandle | undefined> {
  const file = await openIfSame(part.path, part.identity);
  if (file !== undefined) return file;
  const files = await listLogFiles(dirname(part.path), (name) => name.id === part.id);
  const renamed = files.find(({ identity }) => identity === part.identity);
  return renamed && (await openIfSame(renamed.path, part.identity));
}

async function openIfSame(path: string, identity: string): Promise<FileHandle | undefined> {
  const file = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (file === undefined || identityOf(await file.stat()) === identity) return file;
  await file.close();
  return undefined;
}
