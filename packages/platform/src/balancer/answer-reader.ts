// Reads the answer of an app and hands it on to the client. A small answer is handed on once all of
// it is here: one that breaks off half-way can then be asked for again, where a client that has seen
// its head could only be cut off.
import type { AnswerChanges, AnswerSink } from './answer-changes.ts';
import type { ClientExchange } from './client-exchange.ts';
import { ChunkedReader } from './http1/chunked-reader.ts';
import { INCOMPLETE } from './http1/field-scanner.ts';
import { type ResponseHead, ResponseHeadReader } from './http1/response-head.ts';

export interface AnswerListener {
  onInformation(head: ResponseHead): void;
  /** Its head is here. */
  onAnswer(): void;
  onAnswerComplete(isReusable: boolean): void;
  onMalformed(): void;
  onBacklog(): void;
  /** The backlog of a layer before the client is gone. */
  onRoom(): void;
  /** The bytes given to `read` are still in use. */
  onBytesHeld(): void;
  onSwitch(head: ResponseHead, early: Buffer): void;
}

const STATUS_SWITCHING = 101;
const INFORMATION_MAX = 16;
const NO_RANGES: readonly number[] = [];

const heads = new ResponseHeadReader();

export class AnswerReader {
  hasHead = false;
  readonly #exchange: ClientExchange;
  readonly #listener: AnswerListener;
  /** The exchange, or what its route put before it. */
  #sink: AnswerSink;
  #head: ResponseHead | undefined = undefined;
  #chunked: ChunkedReader | undefined = undefined;
  /** Of a body whose length is known. */
  #left = 0;
  #informations = 0;
  /** Of a head or a small answer that came in parts. */
  #kept: Buffer[] | undefined = undefined;
  #keptBytes = 0;
  #patience: NodeJS.Timeout | undefined = undefined;
  #isOver = false;

  constructor(exchange: ClientExchange, listener: AnswerListener) {
    this.#exchange = exchange;
    this.#sink = exchange;
    this.#listener = listener;
  }

  /** `bytes` before `start` may be overwritten. */
  read(bytes: Buffer, start: number, end: number): void {
    if (this.#isOver) return;
    if (this.#head === undefined) this.#readHead(bytes, start, end);
    else this.#readBody(this.#head, bytes, start, end);
  }

  /** The app sends no more. */
  readEnd(): void {
    if (this.#isOver || this.#head?.body.kind !== 'close') return;
    this.#complete(false, '');
  }

  close(): void {
    this.#isOver = true;
    clearTimeout(this.#patience);
  }

  #readHead(bytes: Buffer, start: number, end: number): void {
    if (this.#kept !== undefined) {
      const whole = Buffer.concat([...this.#kept, bytes.subarray(start, end)]);
      this.#kept = undefined;
      return this.#readHead(whole, 0, whole.length);
    }
    const exchange = this.#exchange;
    const at = heads.read(bytes, start, end, exchange.method);
    if (at === INCOMPLETE && end - start <= exchange.limits.headBytesMax) {
      this.#kept = [Buffer.from(bytes.subarray(start, end))];
      return;
    }
    if (at < 0 || at - start > exchange.limits.headBytesMax) return this.#listener.onMalformed();
    let { head } = heads;
    if (head.status < 200) return this.#readInterim(head, bytes, at, end);
    const changes = exchange.treatment?.answer;
    if (changes !== undefined) head = this.#change(head, changes);
    this.#head = head;
    this.hasHead = true;
    this.#listener.onAnswer();
    this.#beginBody(head, bytes, at, end);
  }

  #change(head: ResponseHead, changes: AnswerChanges): ResponseHead {
    const exchange = this.#exchange;
    const changed = changes.headOf(exchange, head);
    const layer = changes.layerOf(exchange, changed, () => this.#listener.onRoom());
    exchange.layer = layer;
    this.#sink = layer ?? exchange;
    return changed;
  }

  #readInterim(head: ResponseHead, bytes: Buffer, at: number, end: number): void {
    this.#informations += 1;
    if (head.status === STATUS_SWITCHING) {
      if (!this.#exchange.head.asksForWebSocket) return this.#listener.onMalformed();
      this.hasHead = true;
      this.#isOver = true;
      this.#listener.onAnswer();
      return this.#listener.onSwitch(head, bytes.subarray(at, end));
    }
    if (this.#informations > INFORMATION_MAX) return this.#listener.onMalformed();
    this.#listener.onInformation(head);
    if (at < end) this.#readHead(bytes, at, end);
  }

  #beginBody(head: ResponseHead, bytes: Buffer, at: number, end: number): void {
    switch (head.body.kind) {
      case 'none':
        this.#sink.begin(head, bytes, NO_RANGES);
        return this.#complete(at === end, '');
      case 'length':
        this.#left = head.body.bytes;
        if (this.#left <= end - at) return this.#passLast(head, bytes, at, end);
        if (this.#left <= this.#exchange.limits.heldAnswerBytesMax)
          return this.#hold(head, bytes, at, end);
        this.#left -= end - at;
        return this.#pass(head, bytes, at < end ? [at, end] : NO_RANGES, end - at);
      case 'chunked':
        this.#chunked = new ChunkedReader();
        return this.#readChunks(head, this.#chunked, bytes, at, end);
      case 'close':
        return this.#pass(head, bytes, at < end ? [at, end] : NO_RANGES, end - at);
    }
  }

  #readBody(head: ResponseHead, bytes: Buffer, start: number, end: number): void {
    if (this.#chunked !== undefined)
      return this.#readChunks(head, this.#chunked, bytes, start, end);
    if (head.body.kind === 'close') return this.#pass(head, bytes, [start, end], end - start);
    if (this.#kept !== undefined) return this.#keep(head, bytes, start, end);
    if (this.#left <= end - start) return this.#passLast(head, bytes, start, end);
    this.#left -= end - start;
    this.#pass(head, bytes, [start, end], end - start);
  }

  /** All that is left of a body of known length is here; what is more belongs to no request. */
  #passLast(head: ResponseHead, bytes: Buffer, start: number, end: number): void {
    const stop = start + this.#left;
    this.#left = 0;
    this.#pass(head, bytes, start < stop ? [start, stop] : NO_RANGES, stop - start);
    this.#complete(stop === end, '');
  }

  #readChunks(
    head: ResponseHead,
    reader: ChunkedReader,
    bytes: Buffer,
    start: number,
    end: number,
  ): void {
    const at = reader.read(bytes, start, end);
    if (at < 0) return this.#listener.onMalformed();
    const { data, passed, isDone } = reader;
    const { takesChunks } = this.#sink;
    this.#pass(head, bytes, takesChunks ? passed : data, lengthOf(data));
    if (isDone) this.#complete(at === end, reader.hasPassedEnd ? '' : `${reader.trailers}\r\n`);
  }

  #pass(head: ResponseHead, bytes: Buffer, ranges: readonly number[], dataBytes: number): void {
    const sink = this.#sink;
    sink.bytesSent += dataBytes;
    if (!this.#exchange.isAnswered) sink.begin(head, bytes, ranges);
    else if (ranges.length > 0) sink.send(bytes, ranges);
    if (this.#isOver) return;
    if (sink.holdsBytes) this.#listener.onBytesHeld();
    if (sink.isBacklogged) this.#listener.onBacklog();
  }

  #hold(head: ResponseHead, bytes: Buffer, start: number, end: number): void {
    this.#kept = [];
    // The bytes of the head will be others by then.
    void head.lead;
    // An app that dribbles its answer is not made slower than it is.
    this.#patience = setTimeout(() => this.#letGo(head), this.#exchange.limits.heldAnswerMs);
    this.#keep(head, bytes, start, end);
  }

  #keep(head: ResponseHead, bytes: Buffer, start: number, end: number): void {
    const stop = Math.min(end, start + this.#left - this.#keptBytes);
    this.#kept?.push(Buffer.from(bytes.subarray(start, stop)));
    this.#keptBytes += stop - start;
    if (this.#keptBytes < this.#left) return;
    this.#letGo(head);
    this.#complete(stop === end, '');
  }

  #letGo(head: ResponseHead): void {
    clearTimeout(this.#patience);
    const body = Buffer.concat(this.#kept ?? []);
    this.#kept = undefined;
    this.#left -= body.length;
    this.#pass(head, body, body.length > 0 ? [0, body.length] : NO_RANGES, body.length);
  }

  /** `isClean`: nothing followed on the connection. */
  #complete(isClean: boolean, end: string): void {
    if (this.#isOver) return;
    const isReusable = isClean && this.#head?.keepsAlive === true;
    this.#isOver = true;
    this.#listener.onAnswerComplete(isReusable);
    this.#sink.finish(end);
  }
}

function lengthOf(ranges: readonly number[]): number {
  let bytes = 0;
  for (let index = 0; index < ranges.length; index += 2)
    bytes += (ranges[index + 1] as number) - (ranges[index] as number);
  return bytes;
}
