// The head of an answer that goes on less some of its lines. It is moved together in the memory it was
// read into, right before its body, and needs no text of its own: most answers go this way.
import type { AnswerFraming, ResponseHead } from './response-head.ts';

const EMPTY_LINE_BYTES = 2;
const NO_BODY: AnswerFraming = { kind: 'none' };
const NONE: readonly number[] = [];

export class InPlaceHead implements ResponseHead {
  status = 0;
  body: AnswerFraming = NO_BODY;
  hasRequestId = false;
  hasDate = false;
  keepsAlive = false;
  readonly upgrade = undefined;
  /** Start and end of each line that stays behind, in order. */
  dropped: readonly number[] = NONE;
  readonly #bytes: Buffer;
  readonly #start: number;
  /** Behind the empty line. */
  readonly #end: number;
  #lead: string | undefined = undefined;

  constructor(bytes: Buffer, start: number, end: number) {
    this.#bytes = bytes;
    this.#start = start;
    this.#end = end;
  }

  /** To be asked for first while the bytes are as they were read. */
  get lead(): string {
    if (this.#lead !== undefined) return this.#lead;
    const { dropped } = this;
    const bytes = this.#bytes;
    let text = '';
    let from = this.#start;
    for (let index = 0; index < dropped.length; index += 2) {
      text += bytes.toString('latin1', from, dropped[index]);
      from = dropped[index + 1] as number;
    }
    this.#lead = text + bytes.toString('latin1', from, this.#end - EMPTY_LINE_BYTES);
    return this.#lead;
  }

  /**
   * Moves what goes on, with `tail` behind it, to where it ends at `bodyStart`. Where it begins then, or
   * -1: the bytes are others, or the room is too small; nothing was moved.
   */
  placeBefore(bytes: Buffer, bodyStart: number, tail: string): number {
    const { dropped } = this;
    const start = this.#start;
    const end = this.#end;
    if (bytes !== this.#bytes || bodyStart !== end || this.#lead !== undefined) return -1;
    let length = end - EMPTY_LINE_BYTES - start;
    for (let index = 0; index < dropped.length; index += 2)
      length -= (dropped[index + 1] as number) - (dropped[index] as number);
    const newStart = end - tail.length - length;
    // Every piece moves towards the front, so none is written over before it is read.
    if (newStart > start || newStart < 0) return -1;
    let to = newStart;
    let from = start;
    for (let index = 0; index < dropped.length; index += 2) {
      const stop = dropped[index] as number;
      bytes.copyWithin(to, from, stop);
      to += stop - from;
      from = dropped[index + 1] as number;
    }
    bytes.copyWithin(to, from, end - EMPTY_LINE_BYTES);
    bytes.write(tail, end - tail.length, 'latin1');
    return newStart;
  }
}
