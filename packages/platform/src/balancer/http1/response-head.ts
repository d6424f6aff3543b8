// The head of an app's answer. As strict as with clients: what two readers could frame differently is
// no answer.
import { ConnectionOption, Fault, FieldScanner, INCOMPLETE } from './field-scanner.ts';
import { keptLines, type LineRange, withoutFields } from './field-text.ts';
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
  /** Status and reason, as the app wrote them: `404 Not Found`. */
  readonly statusText: string;
  readonly body: AnswerFraming;
  /** Field lines that go on to the client; Content-Length is among them if there is one. */
  readonly fields: string;
  readonly hasRequestId: boolean;
  readonly hasDate: boolean;
  /** What a 426 asks for. */
  readonly upgrade: string | undefined;
  /** The app reads another request on this connection. */
  readonly keepsAlive: boolean;
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
    const text = bytes.toString('latin1', start, headEnd);
    const statusText = text.slice(STATUS_OFFSET, lineEnd - 2 - start);
    const status = Number(statusText.slice(0, 3));
    const body = this.#framing(status, method);
    this.head = {
      status,
      statusText,
      body,
      fields: this.#fields(text, status, { base: start, start: lineEnd, end: headEnd - 2 }),
      hasRequestId: this.#scanner.hasRequestId,
      hasDate: this.#scanner.hasDate,
      upgrade: status === STATUS_UPGRADE_REQUIRED ? this.#upgrade(text, start) : undefined,
      keepsAlive: this.#keepsAlive(body, bytes[start + MINOR_OFFSET] === ZERO),
    };
    return headEnd;
  }

  #fields(text: string, status: number, range: LineRange): string {
    const scanner = this.#scanner;
    let fields = keptLines(text, range, scanner);
    if ((scanner.connection & ConnectionOption.names) !== 0)
      fields = withoutNamedFields(fields, text);
    // There it says nothing (RFC 9110 section 8.6).
    if (scanner.hasContentLength && (status < 200 || status === 204))
      fields = withoutFields(fields, (name) => name === 'content-length');
    return fields;
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

const isDigit = (octet: number | undefined): boolean =>
  octet !== undefined && octet >= ZERO && octet <= ZERO + 9;
