// A stream of HTTP/2: one request and its answer, on the client's side.
import { constants, type ServerHttp2Stream } from 'node:http2';
import { ClientExchange } from '../client-exchange.ts';
import { clock } from '../clock.ts';
import type { Waiting } from '../deadlines.ts';
import { httpDate } from '../http-date.ts';
import { fieldLinesOf } from '../http1/field-text.ts';
import type { RequestHead } from '../http1/request-head.ts';
import type { ResponseHead } from '../http1/response-head.ts';
import { badRequest, bodyTooLarge, bodyTooSlow, type Refusal, renderRefusal } from '../refusal.ts';
import { BODY_TOO_LONG, type BodySink } from '../request-body.ts';
import type { ClientTunnelEnd } from '../tunnel.ts';
import type { Http2Connection } from './http2-connection.ts';
import { trailerText } from './request-text.ts';
import { responseFields, trailerFields } from './response-fields.ts';

/** To copy a small answer costs less than new memory to read the next one into. */
const COPIED_BYTES_MAX = 16 * 1024;
const LAST_CHUNK = '0\r\n';

export class Http2Exchange extends ClientExchange implements Waiting {
  deadlineMs = Infinity;
  readonly takesChunks = false;
  readonly #stream: ServerHttp2Stream;
  readonly #connection: Http2Connection;
  #hasLentBytes = false;
  #isAwaitingUpstream = false;
  #stalledBytes = 0;
  #requestTrailers = '';
  #trailers = '';
  #isFinished = false;

  constructor(head: RequestHead, stream: ServerHttp2Stream, connection: Http2Connection) {
    super(head, connection.peer, connection.surroundings);
    this.#stream = stream;
    this.#connection = connection;
    connection.surroundings.deadlines.add(this);
    stream
      .on('drain', () => this.#drained())
      .on('wantTrailers', () => this.#sendTrailers())
      .on('finish', () => this.#flushed())
      .on('aborted', () => this.end())
      .on('close', () => this.#closed());
  }

  get holdsBytes(): boolean {
    return this.#hasLentBytes && this.#stream.writableLength > 0;
  }

  /** All answers of a connection share the bound. Its end is told only where a drain is needed. */
  get isBacklogged(): boolean {
    const { writableLength, writableNeedDrain } = this.#stream;
    const share = this.limits.responseBufferBytesMax / this.#connection.streamCount;
    return writableNeedDrain && writableLength >= share;
  }

  /** Reads the body; `onReady` runs when the request may be routed. */
  readBody(onReady: () => void): void {
    const { body } = this;
    if (body.isReadAhead) this.askForBody();
    this.#waitFor(this.limits.bodyIdleTimeoutMs);
    this.#stream
      .on('data', (bytes: Buffer) => this.#takeBody(bytes, onReady))
      .on('trailers', (_, _flags, fields) => this.#takeTrailers(fields))
      .on('end', () => this.#endBody());
    if (!body.isReadAhead && !this.isEnded) onReady();
  }

  sendBodyTo(sink: BodySink): void {
    this.askForBody();
    this.body.attach(sink);
    this.resumeBody();
  }

  resumeBody(): void {
    this.body.resume();
    if (!this.body.isFull) this.#stream.resume();
  }

  /** RFC 9110 section 10.1.1. */
  askForBody(): void {
    const { head, body } = this;
    if (head.expectsContinue && !body.isComplete && !this.isAnswered && this.#takesHead)
      this.#stream.additionalHeaders({ ':status': 100 });
  }

  waitForUpstream(timeoutMs: number): void {
    this.#isAwaitingUpstream = timeoutMs !== Infinity;
    if (this.body.isComplete) this.#waitFor(timeoutMs);
  }

  inform({ status, lead }: ResponseHead): void {
    if (status === 100 || this.isAnswered || !this.#takesHead) return;
    const informed: Record<string, string | string[]> = {};
    const list = responseFields(status, fieldLinesOf(lead));
    for (let index = 2; index + 1 < list.length; index += 2)
      informed[list[index] ?? ''] = list[index + 1] ?? '';
    this.#stream.additionalHeaders({ ...informed, ':status': status });
  }

  begin(head: ResponseHead, bytes: Buffer, ranges: readonly number[]): void {
    this.status = head.status;
    if (!this.#takesHead) return;
    const more: string[] = [];
    if (!head.hasRequestId) more.push('x-request-id', this.requestId);
    if (!head.hasDate) more.push('date', httpDate(clock.wallMs));
    const isBodiless = head.body.kind === 'none';
    this.#stream.respond(responseFields(head.status, fieldLinesOf(head.lead), more), {
      endStream: isBodiless,
      // Otherwise Node ends what is broken off before it resets it, and half an answer looks whole.
      waitForTrailers: !isBodiless && !isAllOf(head, ranges),
    });
    if (!isBodiless) this.send(bytes, ranges);
  }

  send(bytes: Buffer, ranges: readonly number[]): void {
    if (ranges.length === 0 || !this.#stream.writable) return;
    const copy = copyOf(bytes, ranges);
    this.#hasLentBytes = copy === undefined;
    if (copy !== undefined) this.#stream.write(copy);
    else {
      this.#stream.cork();
      for (let index = 0; index < ranges.length; index += 2)
        this.#stream.write(bytes.subarray(ranges[index], ranges[index + 1]));
      this.#stream.uncork();
    }
    this.#watchStall();
  }

  finish(end: string): void {
    if (this.isEnded) return;
    this.#trailers = end;
    this.#isFinished = true;
    if (!this.#stream.writableEnded) this.#stream.end();
    this.end();
    this.#isAwaitingUpstream = false;
    this.#watchStall();
  }

  abort(): void {
    this.#reset(constants.NGHTTP2_INTERNAL_ERROR);
  }

  refuse(refusal: Refusal): void {
    if (this.isAnswered || this.isEnded) return;
    const { requestId } = this;
    const { headers, body } = renderRefusal(refusal, { accept: this.header('accept'), requestId });
    this.status = refusal.status;
    const isBodiless = this.method === 'HEAD';
    this.bytesSent = isBodiless ? 0 : body.length;
    if (this.#takesHead) {
      const fields = responseFields(refusal.status, '', headers);
      this.#stream.respond(fields, { endStream: isBodiless });
      if (!isBodiless) this.#stream.write(body);
    }
    this.finish('');
  }

  /** The request cannot ask for it: of RFC 8441 nothing was offered. */
  switchProtocols(): ClientTunnelEnd {
    throw new Error('a request of HTTP/2 asked for an upgrade');
  }

  onDeadline(): void {
    const { body } = this;
    if (this.isEnded || !(this.#isAwaitingUpstream || !body.isComplete)) {
      if (!this.#isTaking()) this.#reset(constants.NGHTTP2_CANCEL);
    } else if (!body.isComplete && !body.isFull) {
      if (this.isAnswered) this.abort();
      else this.refuse(bodyTooSlow);
    } else {
      this.#waitFor(Infinity);
      this.transfer?.onTimeout();
    }
  }

  /** A head may be sent; to the body of an answer to HEAD the stream has put an end already. */
  get #takesHead(): boolean {
    return !this.#stream.destroyed && !this.#stream.closed && !this.#stream.headersSent;
  }

  #takeBody(bytes: Buffer, onReady: () => void): void {
    clock.tick();
    const { body } = this;
    if (this.isEnded || body.isComplete) return;
    if (body.framing.kind === 'chunked') this.#giveToBody(asChunk(bytes));
    else this.#giveToBody(bytes);
    if (this.isEnded) return;
    if (body.isComplete) {
      this.#waitFor(this.#isAwaitingUpstream ? this.responseTimeoutMs : Infinity);
      if (body.isReadAhead) onReady();
    } else if (body.isFull) {
      // It waits for the app now, not for the client.
      this.#stream.pause();
      this.#waitFor(this.responseTimeoutMs);
    } else this.#waitFor(this.limits.bodyIdleTimeoutMs);
  }

  #takeTrailers(fields: readonly string[]): void {
    const text = trailerText(fields);
    if (text === undefined) this.#reset(constants.NGHTTP2_PROTOCOL_ERROR);
    else this.#requestTrailers = text;
  }

  #endBody(): void {
    clock.tick();
    if (this.isEnded || this.body.isComplete) return;
    // A body of known length that ends early was reset as malformed before this.
    this.#giveToBody(Buffer.from(`${LAST_CHUNK}${this.#requestTrailers}\r\n`, 'latin1'));
    this.#waitFor(this.#isAwaitingUpstream ? this.responseTimeoutMs : Infinity);
  }

  #giveToBody(bytes: Buffer): void {
    const end = this.body.take(bytes, 0);
    if (end >= 0) return;
    if (this.isAnswered) this.abort();
    else if (end === BODY_TOO_LONG) this.refuse(bodyTooLarge);
    else this.refuse(badRequest('The fields behind the body are not valid HTTP.'));
  }

  #drained(): void {
    clock.tick();
    this.transfer?.onClientDrain();
    if (this.body.isComplete && !this.#isAwaitingUpstream) this.#waitFor(Infinity);
  }

  /** Also when there are none: they are the end of the answer. */
  #sendTrailers(): void {
    if (this.#isFinished && !this.#stream.closed)
      this.#stream.sendTrailers(trailerFields(this.#trailers));
  }

  /** The answer has left; of a body that was not read the client is told that nobody will. */
  #flushed(): void {
    if (!this.body.isComplete) this.#reset(constants.NGHTTP2_NO_ERROR);
  }

  #closed(): void {
    clock.tick();
    this.#connection.surroundings.deadlines.remove(this);
    this.#connection.onStreamClosed();
    this.end();
  }

  #reset(code: number): void {
    this.#stream.close(code);
  }

  #waitFor(timeoutMs: number): void {
    this.deadlineMs = this.#connection.surroundings.deadlines.after(timeoutMs);
  }

  /** A client must take something of its answer now and then. */
  #watchStall(): void {
    this.#stalledBytes = this.#stream.writableLength;
    if (this.isEnded || (this.body.isComplete && this.#stalledBytes > 0))
      this.#waitFor(this.limits.answerStallMs);
  }

  #isTaking(): boolean {
    const waiting = this.#stream.writableLength;
    if (waiting === 0 || waiting === this.#stalledBytes) return false;
    this.#stalledBytes = waiting;
    this.#waitFor(this.limits.answerStallMs);
    return true;
  }
}

const isAllOf = ({ body }: ResponseHead, ranges: readonly number[]): boolean =>
  body.kind === 'length' && body.bytes === lengthOf(ranges);

function lengthOf(ranges: readonly number[]): number {
  let length = 0;
  for (let index = 0; index < ranges.length; index += 2)
    length += (ranges[index + 1] as number) - (ranges[index] as number);
  return length;
}

/** Of few bytes; undefined when there are more. */
function copyOf(bytes: Buffer, ranges: readonly number[]): Buffer | undefined {
  const length = lengthOf(ranges);
  if (length > COPIED_BYTES_MAX) return undefined;
  const copy = Buffer.allocUnsafe(length);
  let at = 0;
  for (let index = 0; index < ranges.length; index += 2)
    at += bytes.copy(copy, at, ranges[index], ranges[index + 1]);
  return copy;
}

function asChunk(bytes: Buffer): Buffer {
  const size = `${bytes.length.toString(16)}\r\n`;
  const chunk = Buffer.allocUnsafe(size.length + bytes.length + 2);
  chunk.write(size, 'latin1');
  bytes.copy(chunk, size.length);
  chunk.write('\r\n', size.length + bytes.length, 'latin1');
  return chunk;
}
