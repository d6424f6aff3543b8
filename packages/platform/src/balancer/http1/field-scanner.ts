// Reads a block of field lines (a head behind its first line, or trailers) once, strictly, and
// remembers what decides about framing and the connection and which lines must not go on.
import { CR, COLON, HT, LF, SP, TOKEN_OCTETS, UNDERSCORE, VALUE_OCTETS } from './octets.ts';
import { FieldRole, roleOf } from './field-role.ts';

/** The block is not all here yet. */
export const INCOMPLETE = -1;

/** Why bytes are no HTTP/1.1; negative, so that a position can be told from it. */
export const Fault = {
  name: -2,
  value: -3,
  tooMany: -4,
  contentLength: -5,
  transferCoding: -6,
  host: -7,
  startLine: -8,
  method: -9,
  target: -10,
  version: -11,
} as const;
export type Fault = (typeof Fault)[keyof typeof Fault];

export const ConnectionOption = { close: 1, keepAlive: 2, upgrade: 4, names: 8 } as const;

const CONTENT_LENGTH_DIGITS_MAX = 15;
const NONE = -1;
const NOTHING_DROPPED: readonly number[] = [];
const ZERO = 0x30;

/** Which lines stay behind: a request loses what only we may say, a response what is for one hop. */
export type Direction = 'request' | 'response';

/** One scanner serves many blocks; what it says holds until the next `scan`. */
export class FieldScanner {
  count = 0;
  /** NONE when absent. */
  contentLength = NONE;
  isChunked = false;
  /** Bits of ConnectionOption. */
  connection = 0;
  expectsContinue = false;
  hasRequestId = false;
  hasDate = false;
  hasMaxForwards = false;
  hostStart = NONE;
  hostEnd = NONE;
  upgradeStart = NONE;
  upgradeEnd = NONE;
  /** Start and end of each line that stays behind, in order: the first `droppedCount` of them. */
  readonly dropped: number[] = [];
  droppedCount = 0;
  readonly #isRequest: boolean;
  readonly #countMax: number;

  constructor(direction: Direction, countMax: number) {
    this.#isRequest = direction === 'request';
    this.#countMax = countMax;
  }

  get hasContentLength(): boolean {
    return this.contentLength !== NONE;
  }

  get hasHost(): boolean {
    return this.hostStart !== NONE;
  }

  get hasUpgrade(): boolean {
    return this.upgradeStart !== NONE;
  }

  /** A copy of `dropped` that outlives the next scan. */
  takeDropped(): readonly number[] {
    return this.droppedCount === 0 ? NOTHING_DROPPED : this.dropped.slice(0, this.droppedCount);
  }

  /** Position behind the empty line, INCOMPLETE, or a Fault. */
  scan(bytes: Uint8Array, start: number, end: number): number {
    this.#reset();
    let at = start;
    for (;;) {
      if (at >= end) return INCOMPLETE;
      if (bytes[at] === CR) {
        if (at + 1 >= end) return INCOMPLETE;
        return bytes[at + 1] === LF ? at + 2 : Fault.name;
      }
      at = this.#scanLine(bytes, at, end);
      if (at < 0) return at;
    }
  }

  #scanLine(bytes: Uint8Array, start: number, end: number): number {
    let at = start;
    let marks = 0;
    for (; at < end; at += 1) {
      const mark = TOKEN_OCTETS[bytes[at] as number] as number;
      if (mark === 0) break;
      marks |= mark;
    }
    if (at >= end) return INCOMPLETE;
    // Folded lines and a space before the colon end here too.
    if (bytes[at] !== COLON || at === start) return Fault.name;
    const nameEnd = at;
    at += 1;
    while (at < end && (bytes[at] === SP || bytes[at] === HT)) at += 1;
    const valueStart = at;
    while (at < end && VALUE_OCTETS[bytes[at] as number] === 1) at += 1;
    if (at >= end) return INCOMPLETE;
    if (bytes[at] !== CR) return Fault.value;
    if (at + 1 >= end) return INCOMPLETE;
    if (bytes[at + 1] !== LF) return Fault.value;
    let valueEnd = at;
    while (valueEnd > valueStart && (bytes[valueEnd - 1] === SP || bytes[valueEnd - 1] === HT))
      valueEnd -= 1;
    at += 2;
    this.count += 1;
    if (this.count > this.#countMax) return Fault.tooMany;
    const role = roleOf(bytes, start, nameEnd);
    // `X_Forwarded_Proto` reads in WSGI as `X-Forwarded-Proto`; nginx drops such names too.
    if (role === FieldRole.other && (!this.#isRequest || (marks & UNDERSCORE) === 0)) return at;
    const fault = this.#note(role, bytes, valueStart, valueEnd);
    if (fault !== 0) return fault;
    if (this.#staysBehind(role)) this.#drop(start, at);
    return at;
  }

  #staysBehind(role: FieldRole): boolean {
    if (this.#isRequest)
      return role !== FieldRole.host && role !== FieldRole.date && role !== FieldRole.maxForwards;
    return (
      role === FieldRole.transferEncoding ||
      role === FieldRole.connection ||
      role === FieldRole.upgrade ||
      role === FieldRole.hop
    );
  }

  #drop(start: number, end: number): void {
    const { dropped } = this;
    const last = this.droppedCount - 1;
    if (last > 0 && dropped[last] === start) dropped[last] = end;
    else {
      dropped[last + 1] = start;
      dropped[last + 2] = end;
      this.droppedCount += 2;
    }
  }

  /** 0, or a Fault. */
  #note(role: FieldRole, bytes: Uint8Array, start: number, end: number): Fault | 0 {
    switch (role) {
      case FieldRole.host:
        if (this.hasHost && this.#isRequest) return Fault.host;
        this.hostStart = start;
        this.hostEnd = end;
        return 0;
      case FieldRole.contentLength:
        if (this.hasContentLength) return Fault.contentLength;
        this.contentLength = decimal(bytes, start, end);
        // That of an answer goes on as it is.
        if (!this.#isRequest && bytes[start] === ZERO && end > start + 1)
          return Fault.contentLength;
        return this.hasContentLength ? 0 : Fault.contentLength;
      case FieldRole.transferEncoding:
        if (this.isChunked || !equals(bytes, start, end, 'chunked')) return Fault.transferCoding;
        this.isChunked = true;
        return 0;
      case FieldRole.connection:
        this.#noteConnection(bytes, start, end);
        return 0;
      case FieldRole.expect:
        if (equals(bytes, start, end, '100-continue')) this.expectsContinue = true;
        return 0;
      case FieldRole.upgrade:
        this.upgradeStart = start;
        this.upgradeEnd = end;
        return 0;
      case FieldRole.requestId:
        this.hasRequestId = true;
        return 0;
      case FieldRole.date:
        this.hasDate = true;
        return 0;
      case FieldRole.maxForwards:
        this.hasMaxForwards = true;
        return 0;
      case FieldRole.other:
      case FieldRole.hop:
      case FieldRole.ours:
        return 0;
    }
  }

  #noteConnection(bytes: Uint8Array, start: number, end: number): void {
    if (equals(bytes, start, end, 'keep-alive')) this.connection |= ConnectionOption.keepAlive;
    else if (equals(bytes, start, end, 'close')) this.connection |= ConnectionOption.close;
    else
      for (const option of listOf(textOf(bytes, start, end)))
        this.connection |= OPTIONS[option] ?? ConnectionOption.names;
  }

  #reset(): void {
    this.count = 0;
    this.contentLength = NONE;
    this.isChunked = false;
    this.connection = 0;
    this.expectsContinue = false;
    this.hasRequestId = false;
    this.hasDate = false;
    this.hasMaxForwards = false;
    this.hostStart = NONE;
    this.upgradeStart = NONE;
    this.droppedCount = 0;
  }
}

const OPTIONS: Readonly<Record<string, number>> = Object.assign(Object.create(null) as object, {
  close: ConnectionOption.close,
  'keep-alive': ConnectionOption.keepAlive,
  upgrade: ConnectionOption.upgrade,
});

/** Members of a comma-separated list in lower case (RFC 9110 section 5.6.1). */
export const listOf = (text: string): string[] =>
  text
    .toLowerCase()
    .split(',')
    .map((member) => member.trim())
    .filter((member) => member !== '');

function textOf(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1');
}

/** NONE when it is no length: digits only, and not more than any body has. */
function decimal(bytes: Uint8Array, start: number, end: number): number {
  if (start === end || end - start > CONTENT_LENGTH_DIGITS_MAX) return NONE;
  let value = 0;
  for (let at = start; at < end; at += 1) {
    const digit = (bytes[at] as number) - 0x30;
    if (digit < 0 || digit > 9) return NONE;
    value = value * 10 + digit;
  }
  return value;
}

/** Case aside; `expected` in lower case. */
function equals(bytes: Uint8Array, start: number, end: number, expected: string): boolean {
  if (end - start !== expected.length) return false;
  for (let index = 0; index < expected.length; index += 1) {
    const octet = bytes[start + index] as number;
    const lower = octet >= 0x41 && octet <= 0x5a ? octet | 0x20 : octet;
    if (lower !== expected.charCodeAt(index)) return false;
  }
  return true;
}
