// Reads a chunked body (RFC 9112 section 7.1) as it comes, strictly. Finds the data in it; extensions
// have no meaning here and get no further.
import { Fault, FieldScanner, INCOMPLETE } from './field-scanner.ts';
import { keptLines, withoutFields } from './field-text.ts';
import { CR, HEX_VALUES, HT, LF, SP, VALUE_OCTETS } from './octets.ts';

const SIZE_DIGITS_MAX = 12;
/** Of a whole body. */
const EXTENSION_BYTES_MAX = 16_384;
const TRAILER_BYTES_MAX = 16_384;
const TRAILERS_MAX = 64;
const SEMICOLON = 0x3b;
const NONE = -1;
const EMPTY_LINE_BYTES = 2;

const State = {
  size: 0,
  extension: 1,
  sizeLf: 2,
  data: 3,
  dataCr: 4,
  dataLf: 5,
  trailers: 6,
  done: 7,
  /** Space behind a size, which means nothing. */
  space: 8,
};

/** Must not come after the body: framing, routing, identity. */
const NOT_IN_TRAILERS =
  /^(?:content-|host$|cookie$|set-cookie$|authorization$|cache-control$|te$|expect$|max-forwards$|forwarded$|x-real-ip$|x-request-id$|x-request-start$|x-scheme$|x-url-scheme$|front-end-https$|x-(?:forwarded|tandem)-)|_/;

export class ChunkedReader {
  /** Start and end of each piece of data found by the last `read`. */
  readonly data: number[] = [];
  /** Likewise of what may go on as it is: sizes, data and line ends, without extensions and trailers. */
  readonly passed: number[] = [];
  /** What `passed` covers ends with the end of the whole body: no trailers are to follow. */
  hasPassedEnd = false;
  /** Field lines behind the body that may go on; complete once `isDone`. */
  trailers = '';
  #state = State.size;
  #left = 0;
  #digits = 0;
  #extensionBytes = 0;
  #passFrom = NONE;
  /** Of trailers that came in parts. */
  #pending: Buffer | undefined;

  get isDone(): boolean {
    return this.#state === State.done;
  }

  /** Reads up to the end of the body. Position behind it, `end` when more is to come, or a Fault. */
  read(bytes: Buffer, start: number, end: number): number {
    this.data.length = 0;
    this.passed.length = 0;
    const { extension, space, trailers } = State;
    this.#passFrom = [extension, space, trailers].includes(this.#state) ? NONE : start;
    let at = start;
    while (at < end && this.#state !== State.done) {
      if (this.#state === State.data) at = this.#takeData(at, end);
      else if (this.#state === State.trailers) at = this.#takeTrailers(bytes, at, end);
      else {
        if (!this.#takeOctet(bytes[at] as number, at)) return Fault.value;
        at += 1;
      }
      if (at < 0) return at;
    }
    this.#passUntil(at);
    return at;
  }

  #takeData(start: number, end: number): number {
    const stop = Math.min(end, start + this.#left);
    this.data.push(start, stop);
    this.#left -= stop - start;
    if (this.#left === 0) this.#state = State.dataCr;
    return stop;
  }

  /** One octet of the framing; false when it must not be there. */
  #takeOctet(octet: number, at: number): boolean {
    switch (this.#state) {
      case State.size:
        return this.#takeSizeOctet(octet, at);
      case State.space:
        if (octet === SEMICOLON) this.#state = State.extension;
        else if (octet === CR) this.#endSize(at);
        else if (octet !== SP && octet !== HT) return false;
        return this.#countExtension();
      case State.extension:
        if (octet === CR) this.#endSize(at);
        else if (VALUE_OCTETS[octet] !== 1) return false;
        return this.#countExtension();
      case State.sizeLf:
        this.#state = this.#left > 0 ? State.data : State.trailers;
        this.#digits = 0;
        if (this.#state === State.trailers) this.#passUntil(at + 1);
        return octet === LF;
      case State.dataCr:
        this.#state = State.dataLf;
        return octet === CR;
      default:
        this.#state = State.size;
        this.#left = 0;
        return octet === LF;
    }
  }

  #passUntil(at: number): void {
    if (this.#passFrom !== NONE && at > this.#passFrom) this.passed.push(this.#passFrom, at);
    this.#passFrom = NONE;
  }

  #takeSizeOctet(octet: number, at: number): boolean {
    const digit = HEX_VALUES[octet] as number;
    if (digit >= 0) {
      this.#left = this.#left * 16 + digit;
      this.#digits += 1;
      return this.#digits <= SIZE_DIGITS_MAX;
    }
    if (this.#digits === 0) return false;
    if (octet === CR) {
      this.#state = State.sizeLf;
      return true;
    }
    this.#passUntil(at);
    this.#state = octet === SEMICOLON ? State.extension : State.space;
    return octet === SEMICOLON || octet === SP || octet === HT;
  }

  /** Behind what does not go on. */
  #endSize(at: number): void {
    this.#state = State.sizeLf;
    this.#passFrom = at;
  }

  #countExtension(): boolean {
    this.#extensionBytes += 1;
    return this.#extensionBytes <= EXTENSION_BYTES_MAX;
  }

  #takeTrailers(bytes: Buffer, start: number, end: number): number {
    const before = this.#pending?.length ?? 0;
    const part = bytes.subarray(start, end);
    const block = this.#pending === undefined ? part : Buffer.concat([this.#pending, part]);
    const scanner = new FieldScanner('response', TRAILERS_MAX);
    const blockEnd = scanner.scan(block, 0, block.length);
    if (blockEnd === INCOMPLETE) {
      if (block.length > TRAILER_BYTES_MAX) return Fault.tooMany;
      this.#pending = Buffer.from(block);
      return end;
    }
    if (blockEnd < 0) return blockEnd;
    this.#state = State.done;
    if (blockEnd === EMPTY_LINE_BYTES && before === 0 && this.passed.at(-1) === start) {
      this.passed[this.passed.length - 1] = start + blockEnd;
      this.hasPassedEnd = true;
      return start + blockEnd;
    }
    const text = block.toString('latin1', 0, blockEnd);
    const lines = keptLines(text, { base: 0, start: 0, end: blockEnd - 2 }, scanner);
    this.trailers = withoutFields(lines, (name) => NOT_IN_TRAILERS.test(name));
    return start + blockEnd - before;
  }
}
