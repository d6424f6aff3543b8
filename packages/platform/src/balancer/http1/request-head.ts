// The head of a request: read strictly from bytes, or refused (RFC 9112 sections 2 to 7).
import { LIMITS } from '../../domain/limits.ts';
import { ConnectionOption, Fault, FieldScanner, INCOMPLETE } from './field-scanner.ts';
import { fieldValues, keptLines, namedByConnection, withoutFields } from './field-text.ts';
import { CR, LF, SP, TARGET_OCTETS, TOKEN_OCTETS } from './octets.ts';

export type BodyFraming =
  | { readonly kind: 'none' }
  | { readonly kind: 'length'; readonly bytes: number }
  | { readonly kind: 'chunked' };

export interface RequestHead {
  readonly method: string;
  /** Origin form: path and query; `*` for OPTIONS alone. */
  readonly target: string;
  /** The target without its query; `/` for `*`. */
  readonly path: string;
  readonly isHttp10: boolean;
  /** As the client wrote it, with its port: of the target if that names one, else of Host. */
  readonly authority: string;
  readonly body: BodyFraming;
  /** The client reads another answer on this connection. */
  readonly keepsAlive: boolean;
  readonly expectsContinue: boolean;
  readonly asksForWebSocket: boolean;
  readonly hasMaxForwards: boolean;
  /** What goes on to the app of it, each with its end of line: request line, then Host, then fields. */
  readonly lead: string;
  /** All of it, as received. */
  readonly text: string;
}

/** `name` in lower case; repeated fields joined (RFC 9110 section 5.3). */
export function fieldOf(head: RequestHead, name: string): string | undefined {
  const values = fieldValues(head.text, name);
  return values.length === 0 ? undefined : values.join(', ');
}

const METHOD_BYTES_MAX = 32;
/** `Host: `, when it is the first field: where it belongs. */
const HOST_NAME_BYTES = 6;
const NO_BODY: BodyFraming = { kind: 'none' };
const EMPTY_BODY: BodyFraming = { kind: 'length', bytes: 0 };
const CHUNKED_BODY: BodyFraming = { kind: 'chunked' };
/** With these a body is expected, so an absent one is said to be empty. */
const METHODS_WITH_BODY: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH']);

/** Reads heads one after the other. */
export class RequestHeadReader {
  /** Of the last head that was read. */
  head!: RequestHead;
  readonly #scanner = new FieldScanner('request', LIMITS.balancer.headerCountMax);
  #text = '';
  /** Where `#text` begins in the bytes. */
  #base = 0;

  /**
   * Position behind the head, INCOMPLETE (also when nothing but empty lines came), or a Fault. The
   * head is in `head` then.
   */
  read(bytes: Buffer, start: number, end: number): number {
    const lineStart = skipEmptyLines(bytes, start, end);
    if (lineStart < 0) return lineStart;
    const methodEnd = scanMethod(bytes, lineStart, end);
    if (methodEnd < 0) return methodEnd;
    const targetEnd = scanTarget(bytes, methodEnd + 1, end);
    if (targetEnd < 0) return targetEnd;
    const fieldsStart = scanVersion(bytes, targetEnd + 1, end);
    if (fieldsStart < 0) return fieldsStart;
    const headEnd = this.#scanner.scan(bytes, fieldsStart, end);
    if (headEnd < 0) return headEnd;
    this.#base = lineStart;
    this.#text = bytes.toString('latin1', lineStart, headEnd);
    const method = this.#slice(lineStart, methodEnd);
    const isHttp10 = bytes[fieldsStart - 3] === ZERO;
    const fault = this.#framingFault(method, isHttp10);
    if (fault !== 0) return fault;
    const target = this.#slice(methodEnd + 1, targetEnd);
    return this.#take(method, target, isHttp10, fieldsStart, headEnd);
  }

  #take(
    method: string,
    written: string,
    isHttp10: boolean,
    fieldsStart: number,
    headEnd: number,
  ): number {
    const scanner = this.#scanner;
    if (!scanner.hasHost) return Fault.host;
    let authority = this.#slice(scanner.hostStart, scanner.hostEnd);
    let target = written;
    if (written.charCodeAt(0) !== SLASH) {
      const place = splitTarget(method, written);
      if (place === undefined) return Fault.target;
      ({ target } = place);
      authority = place.authority ?? authority;
    }
    const query = target.indexOf('?');
    this.head = {
      method,
      target,
      path: target === '*' ? '/' : query < 0 ? target : target.slice(0, query),
      isHttp10,
      authority,
      body: this.#bodyOf(method),
      keepsAlive: this.#keepsAlive(isHttp10),
      expectsContinue: scanner.expectsContinue && !isHttp10,
      asksForWebSocket: scanner.hasUpgrade && !isHttp10 && this.#isWebSocket(method),
      hasMaxForwards: scanner.hasMaxForwards,
      lead:
        target === written && !isHttp10 && scanner.hostStart - fieldsStart <= HOST_NAME_BYTES
          ? this.#kept(this.#base, headEnd - 2)
          : `${method} ${target} HTTP/1.1\r\nHost: ${authority}\r\n` +
            withoutFields(this.#kept(fieldsStart, headEnd - 2), (name) => name === 'host'),
      text: this.#text,
    };
    return headEnd;
  }

  /** Lines that go on. */
  #kept(start: number, end: number): string {
    const scanner = this.#scanner;
    const lines = keptLines(this.#text, { base: this.#base, start, end }, scanner);
    const namesSome = (scanner.connection & ConnectionOption.names) !== 0;
    return namesSome ? withoutNamedFields(lines, this.#text) : lines;
  }

  #slice(start: number, end: number): string {
    return this.#text.slice(start - this.#base, end - this.#base);
  }

  #framingFault(method: string, isHttp10: boolean): Fault | 0 {
    const scanner = this.#scanner;
    if (scanner.isChunked && (scanner.hasContentLength || isHttp10)) return Fault.transferCoding;
    // This is no forward proxy.
    if (method === 'CONNECT') return Fault.method;
    return 0;
  }

  #bodyOf(method: string): BodyFraming {
    const { isChunked, hasContentLength, contentLength } = this.#scanner;
    if (isChunked) return CHUNKED_BODY;
    if (hasContentLength)
      return contentLength === 0 ? EMPTY_BODY : { kind: 'length', bytes: contentLength };
    return method !== 'GET' && METHODS_WITH_BODY.has(method) ? EMPTY_BODY : NO_BODY;
  }

  #keepsAlive(isHttp10: boolean): boolean {
    const { connection } = this.#scanner;
    if ((connection & ConnectionOption.close) !== 0) return false;
    return !isHttp10 || (connection & ConnectionOption.keepAlive) !== 0;
  }

  /** Any other upgrade (h2c for one) is ignored, as RFC 9110 section 7.8 allows. */
  #isWebSocket(method: string): boolean {
    const { connection, upgradeStart, upgradeEnd, isChunked, contentLength } = this.#scanner;
    const upgrade = this.#slice(upgradeStart, upgradeEnd).toLowerCase();
    const asked = (connection & ConnectionOption.upgrade) !== 0 && upgrade === 'websocket';
    return asked && method === 'GET' && !isChunked && contentLength <= 0;
  }
}

const ZERO = 0x30;
const SLASH = 0x2f;
const EMPTY_LINES_MAX = 4;

/** Some clients send an empty line behind a body (RFC 9112 section 2.2). */
function skipEmptyLines(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  for (let lines = 0; at < end && bytes[at] === CR; lines += 1) {
    if (at + 1 >= end) return INCOMPLETE;
    if (bytes[at + 1] !== LF || lines === EMPTY_LINES_MAX) return Fault.startLine;
    at += 2;
  }
  return at >= end ? INCOMPLETE : at;
}

function scanMethod(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && TOKEN_OCTETS[bytes[at] as number] !== 0) at += 1;
  if (at - start > METHOD_BYTES_MAX) return Fault.method;
  if (at >= end) return INCOMPLETE;
  return bytes[at] === SP && at > start ? at : Fault.startLine;
}

function scanTarget(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && TARGET_OCTETS[bytes[at] as number] === 1) at += 1;
  if (at >= end) return INCOMPLETE;
  return bytes[at] === SP && at > start ? at : Fault.target;
}

const VERSION = Buffer.from('HTTP/1.');

/** Position behind `HTTP/1.1` or `HTTP/1.0` and its end of line. */
function scanVersion(bytes: Uint8Array, start: number, end: number): number {
  for (let index = 0; index < VERSION.length; index += 1) {
    if (start + index >= end) return INCOMPLETE;
    if (bytes[start + index] !== VERSION[index]) return Fault.version;
  }
  const at = start + VERSION.length;
  if (at + 2 >= end) return INCOMPLETE;
  if (bytes[at] !== ZERO && bytes[at] !== ZERO + 1) return Fault.version;
  return bytes[at + 1] === CR && bytes[at + 2] === LF ? at + 3 : Fault.version;
}

/** Absolute form wins over Host (RFC 9112 section 3.2.2). */
function splitTarget(
  method: string,
  written: string,
): { authority?: string; target: string } | undefined {
  if (written === '*') return method === 'OPTIONS' ? { target: '*' } : undefined;
  const absolute = /^https?:\/\/([^/?]*)(.*)$/i.exec(written);
  if (!absolute) return undefined;
  const [, authority = '', rest = ''] = absolute;
  // Of a user and password before the host no two readers think the same.
  if (authority === '' || authority.includes('@')) return undefined;
  if (rest === '' && method === 'OPTIONS') return { authority, target: '*' };
  return { authority, target: rest.startsWith('/') ? rest : `/${rest}` };
}

/** Fields that stay whatever Connection says: framing and credentials are not for one hop. */
const NEVER_NAMED: ReadonlySet<string> = new Set([
  'authorization',
  'cache-control',
  'content-length',
  'content-type',
  'date',
  'cookie',
  'host',
  'set-cookie',
]);

/** `text`: with the Connection field. */
export function withoutNamedFields(fields: string, text: string): string {
  const named = namedByConnection(text);
  return withoutFields(fields, (name) => named.has(name) && !NEVER_NAMED.has(name));
}
