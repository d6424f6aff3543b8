// The head of an app's answer. As strict as with clients: what two readers could frame differently is
// no answer.
import { ConnectionOption, Fault, FieldScanner, INCOMPLETE } from './field-scanner.ts';
import { fieldLinesOf, keptLines, withoutFields } from './field-text.ts';
import { InPlaceHead } from './in-place-head.ts';
import { CR, LF, SP, VALUE_OCTETS } from './octets.ts';
import { withoutNamedFields } from './request-head.ts';

export type AnswerFraming =
  | { readonly kind: 'none' }
  | { readonly kind: 'length'; readonly bytes: number }
  | { readonly kind: 'chunked' }
  /** The end of the connection is the end of the body. */
  | { readonly kind: 'close' };

export interface ResponseHead {
  readonly status: number;
  readonly body: AnswerFraming;
  /**
   * What goes on to the client of it: status line and fields, each with its end of line. Of what frames
   * the body only Content-Length is among them.
   */
  readonly lead: string;
  readonly hasRequestId: boolean;
  readonly hasDate: boolean;
  /** What a 426 asks for. */
  readonly upgrade: string | undefined;
  /** The app reads another request on this connection. */
  readonly keepsAlive: boolean;
  /** Where it can be had without a text: see InPlaceHead. */
  placeBefore?(bytes: Buffer, bodyStart: number, tail: string): number;
}

/** With other fields. */
export function withFieldLines(
  head: ResponseHead,
  change: (fields: string) => string,
): ResponseHead {
  const { lead } = head;
  const fields = fieldLinesOf(lead);
  const changed = change(fields);
  if (changed === fields) return head;
  const { status, body, hasRequestId, hasDate, upgrade, keepsAlive } = head;
  const line = lead.slice(0, lead.length - fields.length);
  return { status, body, lead: line + changed, hasRequestId, hasDate, upgrade, keepsAlive };
}

const FIELDS_MAX = 256;
const STATUS_UPGRADE_REQUIRED = 426;
const NO_BODY: AnswerFraming = { kind: 'none' };
const CHUNKED_BODY: AnswerFraming = { kind: 'chunked' };
const CLOSE_BODY: AnswerFraming = { kind: 'close' };

export class ResponseHeadReader {
  /** Of the last head that was read. */
  head!: ResponseHead;
  readonly #scanner = new FieldScanner('response', FIELDS_MAX);

  /** Position behind the head, INCOMPLETE, or a Fault; `method` is that of the request. */
  read(bytes: Buffer, start: number, end: number, method: string): number {
    const lineEnd = scanStatusLine(bytes, start, end);
    if (lineEnd < 0) return lineEnd;
    const headEnd = this.#scanner.scan(bytes, lineEnd, end);
    if (headEnd < 0) return headEnd;
    // Two ways to find the end of the body: one reader takes this, another that (RFC 9112 section 6.3).
    if (this.#scanner.isChunked && this.#scanner.hasContentLength) return Fault.transferCoding;
    const status = statusOf(bytes, start + STATUS_OFFSET);
    const isHttp10 = bytes[start + MINOR_OFFSET] === ZERO;
    const body = this.#framing(status, method);
    const keepsAlive = this.#keepsAlive(body, isHttp10);
    if (isHttp10 || this.#isSpecial(status)) {
      const { hasRequestId, hasDate } = this.#scanner;
      const text = bytes.toString('latin1', start, headEnd);
      const special = this.#special(text, start, status);
      this.head = { status, body, hasRequestId, hasDate, keepsAlive, ...special };
    } else
      this.head = this.#inPlace(new InPlaceHead(bytes, start, headEnd), status, body, keepsAlive);
    return headEnd;
  }

  #inPlace(
    head: InPlaceHead,
    status: number,
    body: AnswerFraming,
    keepsAlive: boolean,
  ): InPlaceHead {
    head.status = status;
    head.body = body;
    head.hasRequestId = this.#scanner.hasRequestId;
    head.hasDate = this.#scanner.hasDate;
    head.keepsAlive = keepsAlive;
    head.dropped = this.#scanner.takeDropped();
    return head;
  }

  /** More is to be done than to leave out some lines. */
  #isSpecial(status: number): boolean {
    const { connection, hasContentLength, hasUpgrade } = this.#scanner;
    return (
      status < 200 ||
      (status === 204 && hasContentLength) ||
      (connection & ConnectionOption.names) !== 0 ||
      (status === STATUS_UPGRADE_REQUIRED && hasUpgrade)
    );
  }

  #special(text: string, base: number, status: number): Pick<ResponseHead, 'lead' | 'upgrade'> {
    return {
      lead: this.#lead(text, base, status),
      upgrade: status === STATUS_UPGRADE_REQUIRED ? this.#upgrade(text, base) : undefined,
    };
  }

  #lead(text: string, base: number, status: number): string {
    const scanner = this.#scanner;
    let lead = keptLines(text, { base, start: base, end: base + text.length - 2 }, scanner);
    if ((scanner.connection & ConnectionOption.names) !== 0) lead = withoutNamedFields(lead, text);
    // There it says nothing (RFC 9110 section 8.6).
    if (scanner.hasContentLength && (status < 200 || status === 204))
      lead = withoutFields(lead, (name) => name === 'content-length');
    return `HTTP/1.1${lead.slice(STATUS_OFFSET - 1)}`;
  }

  #upgrade(text: string, base: number): string | undefined {
    const { hasUpgrade, upgradeStart, upgradeEnd } = this.#scanner;
    return hasUpgrade ? text.slice(upgradeStart - base, upgradeEnd - base) : undefined;
  }

  /** RFC 9112 section 6.3. */
  #framing(status: number, method: string): AnswerFraming {
    const { isChunked, hasContentLength, contentLength } = this.#scanner;
    if (method === 'HEAD' || status < 200 || status === 204 || status === 304) return NO_BODY;
    if (isChunked) return CHUNKED_BODY;
    return hasContentLength ? { kind: 'length', bytes: contentLength } : CLOSE_BODY;
  }

  #keepsAlive(body: AnswerFraming, isHttp10: boolean): boolean {
    const { connection } = this.#scanner;
    if (body.kind === 'close') return false;
    if ((connection & ConnectionOption.close) !== 0) return false;
    return !isHttp10 || (connection & ConnectionOption.keepAlive) !== 0;
  }
}

const PREFIX = Buffer.from('HTTP/1.');
const ZERO = 0x30;
const MINOR_OFFSET = PREFIX.length;
/** Behind `HTTP/1.1 `. */
const STATUS_OFFSET = MINOR_OFFSET + 2;

/** Position behind `HTTP/1.1 200 OK` and its end of line; the reason may be missing. */
function scanStatusLine(bytes: Uint8Array, start: number, end: number): number {
  for (let index = 0; index < PREFIX.length; index += 1) {
    if (start + index >= end) return INCOMPLETE;
    if (bytes[start + index] !== PREFIX[index]) return Fault.startLine;
  }
  if (start + STATUS_OFFSET + 4 >= end) return INCOMPLETE;
  const minor = bytes[start + MINOR_OFFSET];
  if (minor !== ZERO && minor !== ZERO + 1) return Fault.version;
  if (bytes[start + MINOR_OFFSET + 1] !== SP) return Fault.startLine;
  let at = start + STATUS_OFFSET;
  const first = (bytes[at] as number) - ZERO;
  if (first < 1 || first > 5 || !isDigit(bytes[at + 1]) || !isDigit(bytes[at + 2]))
    return Fault.startLine;
  at += 3;
  if (bytes[at] !== SP && bytes[at] !== CR) return Fault.startLine;
  while (at < end && VALUE_OCTETS[bytes[at] as number] === 1) at += 1;
  if (at + 1 >= end) return INCOMPLETE;
  return bytes[at] === CR && bytes[at + 1] === LF ? at + 2 : Fault.startLine;
}

const statusOf = (bytes: Uint8Array, at: number): number =>
  (bytes[at] as number) * 100 +
  (bytes[at + 1] as number) * 10 +
  (bytes[at + 2] as number) -
  ZERO * 111;

const isDigit = (octet: number | undefined): boolean =>
  octet !== undefined && octet >= ZERO && octet <= ZERO + 9;
