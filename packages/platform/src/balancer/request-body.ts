// The body of a request on its way in: read ahead when it is small and its length is known, so that a
// slow client holds no instance; else handed on as it comes.
import type { BalancerLimits } from '../domain/limits.ts';
import { ChunkedReader } from './http1/chunked-reader.ts';
import type { BodyFraming } from './http1/request-head.ts';

/** Beside the Faults of http1/field-scanner.ts. */
export const BODY_TOO_LONG = -100;

export interface BodySink {
  /** Framed as it was received: chunks stay chunks. False: no more until `resume` is called. */
  onBody(bytes: Buffer): boolean;
  onBodyEnd(): void;
}

/** Of a request; those that have none share one. */
export function requestBodyOf(framing: BodyFraming, limits: BalancerLimits): RequestBody {
  if (framing.kind === 'none') return NO_BODY;
  if (framing.kind === 'length' && framing.bytes === 0) return EMPTY_BODY;
  return new RequestBody(framing, limits.smallBodyBytesMax);
}

export class RequestBody {
  readonly framing: BodyFraming;
  /** All of it is here, or will be, before the request goes on. */
  readonly isReadAhead: boolean;
  isComplete: boolean;
  readonly #keptBytesMax: number;
  readonly #chunked: ChunkedReader | undefined;
  #left: number;
  #sink: BodySink | undefined;
  #kept: Buffer[] = [];
  #keptBytes = 0;
  #isPaused = false;
  /** Of a body whose length only its end tells. */
  #takenBytes = 0;
  #takenBytesMax = Infinity;

  constructor(framing: BodyFraming, smallBodyBytesMax: number) {
    this.framing = framing;
    this.#left = framing.kind === 'length' ? framing.bytes : 0;
    this.#keptBytesMax = smallBodyBytesMax;
    this.isReadAhead = framing.kind !== 'chunked' && this.#left <= smallBodyBytesMax;
    this.isComplete = framing.kind !== 'chunked' && this.#left === 0;
    if (framing.kind === 'chunked') this.#chunked = new ChunkedReader();
  }

  /** More than may be kept waits for a reader. */
  get isFull(): boolean {
    return this.#isPaused || (!this.isReadAhead && this.#keptBytes >= this.#keptBytesMax);
  }

  /** False: it is, or says that it will be, longer. Else what comes beyond is BODY_TOO_LONG. */
  limit(bytesMax: number): boolean {
    if (this.framing.kind === 'length') return this.framing.bytes <= bytesMax;
    if (this.framing.kind === 'chunked') this.#takenBytesMax = bytesMax;
    return this.#takenBytes <= bytesMax;
  }

  /** What was read ahead, once it is complete. */
  whole(): Buffer | undefined {
    if (!this.isReadAhead || !this.isComplete || this.#keptBytes === 0) return undefined;
    if (this.#kept.length > 1) this.#kept = [Buffer.concat(this.#kept)];
    return this.#kept[0];
  }

  /** Position behind what belongs to this body, a Fault, or BODY_TOO_LONG. */
  take(bytes: Buffer, start: number): number {
    if (this.#chunked !== undefined) return this.#takeChunked(this.#chunked, bytes, start);
    const end = Math.min(bytes.length, start + this.#left);
    this.#left -= end - start;
    this.isComplete = this.#left === 0;
    this.#pass(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end));
    if (this.isComplete) this.#sink?.onBodyEnd();
    return end;
  }

  /** From now on `sink` gets it, what is here already at once. */
  attach(sink: BodySink): void {
    this.#sink = sink;
    const kept = this.#kept;
    this.#kept = [];
    this.#keptBytes = 0;
    for (const bytes of kept) this.#pass(bytes);
    if (this.isComplete) sink.onBodyEnd();
  }

  resume(): void {
    this.#isPaused = false;
  }

  #takeChunked(reader: ChunkedReader, bytes: Buffer, start: number): number {
    const end = reader.read(bytes, start, bytes.length);
    if (end < 0) return end;
    const { data, passed } = reader;
    for (let index = 0; index < data.length; index += 2)
      this.#takenBytes += (data[index + 1] as number) - (data[index] as number);
    if (this.#takenBytes > this.#takenBytesMax) return BODY_TOO_LONG;
    for (let index = 0; index < passed.length; index += 2)
      this.#pass(bytes.subarray(passed[index], passed[index + 1]));
    if (!reader.isDone) return end;
    if (!reader.hasPassedEnd) this.#pass(Buffer.from(`${reader.trailers}\r\n`, 'latin1'));
    this.isComplete = true;
    this.#sink?.onBodyEnd();
    return end;
  }

  #pass(bytes: Buffer): void {
    if (bytes.length === 0) return;
    if (this.#sink !== undefined) {
      if (!this.#sink.onBody(bytes)) this.#isPaused = true;
      return;
    }
    this.#kept.push(bytes);
    this.#keptBytes += bytes.length;
  }
}

const NO_BODY = new RequestBody({ kind: 'none' }, 0);
const EMPTY_BODY = new RequestBody({ kind: 'length', bytes: 0 }, 0);
