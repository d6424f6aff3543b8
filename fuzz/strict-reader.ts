// A second reading of HTTP/1.1, made to be compared with the balancer's: by patterns over the whole
// text, where the balancer goes from byte to byte, and without a line in common. It is as strict.

export interface ReadMessage {
  readonly kind: 'message';
  /** Of a request: method, target. Of an answer: status, reason. */
  readonly first: string;
  readonly second: string;
  readonly isHttp10: boolean;
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly body: string;
  readonly trailers: string;
  readonly end: number;
}

export type Reading<T> = T | { readonly kind: 'incomplete' } | { readonly kind: 'invalid' };

export type ReadHead = Omit<ReadMessage, 'body' | 'trailers'>;

export interface ReadBody {
  readonly kind: 'body';
  readonly data: string;
  readonly trailers: string;
  readonly end: number;
}

const INCOMPLETE = { kind: 'incomplete' } as const;
const INVALID = { kind: 'invalid' } as const;
const FIELD =
  /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[\t ]*((?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)[\t ]*$/;
const REQUEST_LINE =
  /^([!#$%&'*+.^_`|~0-9A-Za-z-]{1,32}) ((?![^ ]*[#\\])[\x21-\x7e]+) HTTP\/1\.([01])$/;
const STATUS_LINE = /^HTTP\/1\.([01]) ([1-5]\d\d)((?: [\t\x20-\x7e\x80-\xff]*)?)$/;
const CHUNK_LINE = /([0-9A-Fa-f]{1,12})[\t ]*(?:;[\t\x20-\x7e\x80-\xff]*)?\r\n/y;
const REQUEST_FIELDS_MAX = 128;
const ANSWER_FIELDS_MAX = 256;
const TRAILERS_MAX = 64;
const EMPTY_LINES_MAX = 4;

export const valuesOf = ({ fields }: Pick<ReadMessage, 'fields'>, name: string): string[] =>
  fields.filter(([one]) => one.toLowerCase() === name).map(([, value]) => value);

/** A request with its body. */
export function readRequest(
  text: string,
  at: number,
  fieldsMax = REQUEST_FIELDS_MAX,
): Reading<ReadMessage> {
  const head = readRequestHead(text, at, fieldsMax);
  if (head.kind !== 'message') return head;
  return withBody(head, readBody(text, head.end, requestFraming(head)));
}

export function readRequestHead(
  text: string,
  at: number,
  fieldsMax = REQUEST_FIELDS_MAX,
): Reading<ReadHead> {
  const empty = /(?:\r\n)*/y;
  empty.lastIndex = at;
  const before = empty.exec(text)?.[0].length ?? 0;
  if (before > 2 * EMPTY_LINES_MAX) return INVALID;
  const head = readHead(text, at + before, REQUEST_LINE, fieldsMax);
  if (head.kind !== 'message') return head;
  const [method, target, minor] = head.words as [string, string, string];
  const read: ReadHead = {
    ...{ kind: 'message', first: method, second: target, isHttp10: minor === '0' },
    ...{ fields: head.fields, end: head.end },
  };
  const hosts = valuesOf(read, 'host');
  const isPlain = target.startsWith('/') || (target === '*' && method === 'OPTIONS');
  const isAbsolute = /^https?:\/\/[^/?@]+(?:[/?].*)?$/i.test(target);
  if (hosts.length !== 1 || method === 'CONNECT' || !(isPlain || isAbsolute)) return INVALID;
  return isFramedOnce(read) && !(read.isHttp10 && isChunked(read)) ? read : INVALID;
}

export function readAnswerHead(text: string, at: number): Reading<ReadHead> {
  const head = readHead(text, at, STATUS_LINE, ANSWER_FIELDS_MAX);
  if (head.kind !== 'message') return head;
  const [minor, status, reason] = head.words as [string, string, string];
  const read: ReadHead = {
    ...{ kind: 'message', first: status, second: reason, isHttp10: minor === '0' },
    ...{ fields: head.fields, end: head.end },
  };
  if (valuesOf(read, 'content-length').some((value) => /^0./.test(value))) return INVALID;
  return isFramedOnce(read) ? read : INVALID;
}

/** An answer with its body, to a request of this method; `ended`: the connection, behind `text`. */
export function readAnswer(
  text: string,
  at: number,
  { method, ended }: { readonly method: string; readonly ended: boolean },
): Reading<ReadMessage> {
  const head = readAnswerHead(text, at);
  if (head.kind !== 'message') return head;
  const status = Number(head.first);
  if (method === 'HEAD' || status < 200 || status === 204 || status === 304)
    return withBody(head, readBody(text, head.end, 'none'));
  const framing = requestFraming(head);
  if (framing !== 'none') return withBody(head, readBody(text, head.end, framing));
  if (!ended) return INCOMPLETE;
  return { ...head, body: text.slice(head.end), trailers: '', end: text.length };
}

/** How the head of a request frames its body: `none`, `chunked`, or its length. */
export function requestFraming(head: ReadHead): 'none' | 'chunked' | number {
  if (isChunked(head)) return 'chunked';
  const [length] = valuesOf(head, 'content-length');
  return length === undefined ? 'none' : Number(length);
}

export function readChunks(text: string, start: number): Reading<ReadBody> {
  let data = '';
  for (let at = start; ;) {
    CHUNK_LINE.lastIndex = at;
    const line = CHUNK_LINE.exec(text);
    // Whether the beginning of a line could still become one is not asked here.
    if (!line) return text.indexOf('\r\n', at) < 0 ? INCOMPLETE : INVALID;
    const dataStart = at + line[0].length;
    const size = Number.parseInt(line[1] ?? '', 16);
    if (size === 0) return readTrailers(text, dataStart, data);
    const end = dataStart + size;
    if (!'\r\n'.startsWith(text.slice(end, end + 2))) return INVALID;
    if (text.length < end + 2) return INCOMPLETE;
    data += text.slice(dataStart, end);
    at = end + 2;
  }
}

function readTrailers(text: string, start: number, data: string): Reading<ReadBody> {
  const block = readHead(`X\r\n${text.slice(start)}`, 0, /^(X)$/, TRAILERS_MAX);
  if (block.kind !== 'message') return block;
  const lengths = valuesOf(block, 'content-length');
  const codings = valuesOf(block, 'transfer-encoding');
  // Wrong where they mean nothing, they are wrong all the same.
  if (lengths.length > 1 || codings.length > 1) return INVALID;
  if (!lengths.every(isLength) || !codings.every(isCoding)) return INVALID;
  if (lengths.some((value) => /^0./.test(value))) return INVALID;
  const lines = block.fields.map(([name, value]) => `${name}: ${value}\r\n`);
  return { kind: 'body', data, trailers: lines.join(''), end: start + block.end - 3 };
}

interface RawHead {
  readonly kind: 'message';
  readonly words: readonly string[];
  readonly fields: readonly (readonly [string, string])[];
  readonly end: number;
}

function readHead(text: string, at: number, line: RegExp, fieldsMax: number): Reading<RawHead> {
  const end = text.indexOf('\r\n\r\n', at);
  if (end < 0) return INCOMPLETE;
  const [first = '', ...rest] = text.slice(at, end).split('\r\n');
  const words = line.exec(first)?.slice(1);
  const fields = rest.map((one) => FIELD.exec(one)?.slice(1) as [string, string] | undefined);
  if (!words || fields.length > fieldsMax || fields.includes(undefined)) return INVALID;
  return { kind: 'message', words, fields: fields as [string, string][], end: end + 4 };
}

function isFramedOnce(head: ReadHead): boolean {
  const [lengths, codings] = ['content-length', 'transfer-encoding'].map((name) =>
    valuesOf(head, name),
  ) as [string[], string[]];
  if (lengths.length + codings.length > 1) return false;
  return lengths.every(isLength) && codings.every(isCoding);
}

const isLength = (value: string): boolean => /^\d{1,15}$/.test(value);

const isCoding = (value: string): boolean => value.toLowerCase() === 'chunked';

const isChunked = (head: ReadHead): boolean => valuesOf(head, 'transfer-encoding').length > 0;

function readBody(
  text: string,
  start: number,
  framing: 'none' | 'chunked' | number,
): Reading<ReadBody> {
  if (framing === 'chunked') return readChunks(text, start);
  const end = start + (framing === 'none' ? 0 : framing);
  if (end > text.length) return INCOMPLETE;
  return { kind: 'body', data: text.slice(start, end), trailers: '', end };
}

function withBody(head: ReadHead, body: Reading<ReadBody>): Reading<ReadMessage> {
  if (body.kind !== 'body') return body;
  return { ...head, body: body.data, trailers: body.trailers, end: body.end };
}
