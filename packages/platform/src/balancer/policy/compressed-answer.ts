// Compresses the body of an answer on its way to the client. Back-pressure goes through it: a client
// that does not read stops the compressor, a compressor that is full stops the app.
import type { AnswerLayer } from '../answer-changes.ts';
import type { ClientExchange } from '../client-exchange.ts';
import type { ResponseHead } from '../http1/response-head.ts';
import { type Coding, compressedHead } from './compression.ts';
import { type Compressor, type Compressors, newCompressor } from './compressors.ts';

const NOTHING = Buffer.alloc(0);

export interface Compression {
  readonly coding: Coding;
  readonly compressors: Compressors;
  /** More may be sent after a backlog. */
  readonly onRoom: () => void;
}

export class CompressedAnswer implements AnswerLayer {
  /** As the app sent it. */
  bytesSent = 0;
  /** Chunks are made anew. */
  readonly takesChunks = false;
  readonly #exchange: ClientExchange;
  readonly #compression: Compression;
  /** From the head of the answer on. */
  #compressor: Compressor | undefined = undefined;
  #isClosed = false;

  /** Takes a place among the compressors. */
  constructor(exchange: ClientExchange, compression: Compression) {
    this.#exchange = exchange;
    this.#compression = compression;
    compression.compressors.take();
  }

  get holdsBytes(): boolean {
    return (this.#compressor?.writableLength ?? 0) > 0;
  }

  get isBacklogged(): boolean {
    return this.#compressor?.writableNeedDrain === true;
  }

  begin(head: ResponseHead, bytes: Buffer, ranges: readonly number[]): void {
    const { coding } = this.#compression;
    // An app that sends as it goes is followed: what it wrote comes out at once.
    this.#compressor = newCompressor(coding, head.body.kind !== 'length');
    this.#listen(this.#compressor);
    this.#exchange.begin(compressedHead(head, coding), NOTHING, []);
    this.send(bytes, ranges);
  }

  send(bytes: Buffer, ranges: readonly number[]): void {
    for (let index = 0; index < ranges.length; index += 2)
      this.#compressor?.write(bytes.subarray(ranges[index], ranges[index + 1]));
  }

  finish(): void {
    this.#compressor?.end();
  }

  onClientDrain(): void {
    this.#compressor?.resume();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#compressor?.destroy();
    this.#compressor = undefined;
    this.#compression.compressors.release();
  }

  #listen(compressor: Compressor): void {
    const exchange = this.#exchange;
    compressor
      .on('data', (bytes: Buffer) => {
        exchange.bytesSent += bytes.length;
        exchange.send(bytes, [0, bytes.length]);
        if (exchange.isBacklogged) compressor.pause();
      })
      .on('drain', this.#compression.onRoom)
      .on('end', () => exchange.finish(''))
      .on('error', () => exchange.abort());
  }
}
