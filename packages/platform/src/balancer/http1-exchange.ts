// A request of HTTP/1.1 or 1.0 and its answer, on the client's side.
import { clock } from './clock.ts';
import type { ClientConnection } from './client-connection.ts';
import { ClientExchange, type ExchangeSurroundings } from './client-exchange.ts';
import { reasonPhrase } from './http1/reason-phrase.ts';
import type { RequestHead } from './http1/request-head.ts';
import type { ResponseHead } from './http1/response-head.ts';
import { httpDate } from './http-date.ts';
import { bodyTooSlow, type Refusal, renderRefusal } from './refusal.ts';
import type { BodySink } from './request-body.ts';
import type { ClientTunnelEnd } from './tunnel.ts';

/** How the body of the answer is framed for the client. */
type Framing =
  | 'as-it-comes'
  /** Its length is unknown and the app did not chunk it. */
  | 'chunk-it';

export class Http1Exchange extends ClientExchange {
  readonly #connection: ClientConnection;
  #framing: Framing = 'as-it-comes';
  /** The client reads another answer after this one. */
  #keepsAlive: boolean;

  constructor(head: RequestHead, connection: ClientConnection, surroundings: ExchangeSurroundings) {
    super(head, connection.peer, surroundings);
    this.#connection = connection;
    // Behind a refused handshake may follow what was meant for the tunnel.
    this.#keepsAlive = head.keepsAlive && !head.asksForWebSocket;
  }

  get takesChunks(): boolean {
    return !this.head.isHttp10;
  }

  get holdsBytes(): boolean {
    return this.#connection.holdsBytes;
  }

  get isBacklogged(): boolean {
    const { writableLength, writableNeedDrain } = this.#connection.socket;
    // Without the need nobody would hear of its end.
    return writableNeedDrain && writableLength >= this.limits.responseBufferBytesMax;
  }

  sendBodyTo(sink: BodySink): void {
    this.askForBody();
    this.body.attach(sink);
    this.resumeBody();
  }

  resumeBody(): void {
    this.body.resume();
    this.#connection.resumeBody();
  }

  /** Lets a client that asked first send its body (RFC 9110 section 10.1.1). */
  askForBody(): void {
    if (this.head.expectsContinue && !this.body.isComplete && !this.isAnswered)
      this.#connection.write('HTTP/1.1 100 Continue\r\n\r\n');
  }

  waitForUpstream(timeoutMs: number): void {
    this.#connection.waitForUpstream(timeoutMs);
  }

  inform({ status, lead }: ResponseHead): void {
    // The body was asked for already, and a client of HTTP/1.0 knows none of these.
    if (status === 100 || this.head.isHttp10 || this.isAnswered) return;
    this.#connection.write(`${lead}\r\n`);
  }

  begin(head: ResponseHead, bytes: Buffer, ranges: readonly number[]): void {
    this.status = head.status;
    const { isHttp10 } = this.head;
    let tail = head.hasRequestId ? '' : `X-Request-Id: ${this.requestId}\r\n`;
    if (!head.hasDate) tail += `Date: ${httpDate(clock.wallMs)}\r\n`;
    if (head.upgrade !== undefined) tail += `Upgrade: ${head.upgrade}\r\n`;
    if (head.body.kind === 'chunked' || head.body.kind === 'close')
      if (isHttp10) this.#keepsAlive = false;
      else tail += 'Transfer-Encoding: chunked\r\n';
    if (head.body.kind === 'close' && !isHttp10) this.#framing = 'chunk-it';
    tail += `${this.#connectionField(head.upgrade !== undefined)}\r\n`;
    if (this.#framing === 'chunk-it') {
      this.#connection.write(head.lead + tail);
      this.send(bytes, ranges);
    } else this.#writeAnswer(head, tail, bytes, ranges);
  }

  send(bytes: Buffer, ranges: readonly number[]): void {
    if (this.#framing === 'chunk-it') this.#connection.writeChunks(bytes, ranges);
    else this.#connection.writeRanges(bytes, ranges);
  }

  finish(end: string): void {
    if (this.isEnded) return;
    if (this.#framing === 'chunk-it') this.#connection.write('0\r\n\r\n');
    else if (end !== '' && this.takesChunks) this.#connection.write(end);
    this.end();
    this.#connection.exchangeOver(this.#keepsAlive);
  }

  abort(): void {
    this.#connection.destroy();
  }

  refuse(refusal: Refusal): void {
    if (this.isAnswered || this.isEnded) return;
    const { requestId } = this;
    const { headers, body } = renderRefusal(refusal, { accept: this.header('accept'), requestId });
    this.status = refusal.status;
    // Where one request was misunderstood, the next one may begin anywhere.
    if (refusal.status === 400) this.#keepsAlive = false;
    const isBodiless = this.method === 'HEAD';
    this.bytesSent = isBodiless ? 0 : body.length;
    const text = answerText(refusal.status, headers) + `${this.#connectionField()}\r\n`;
    this.#connection.writeAnswer(text, body, isBodiless ? [] : [0, body.length]);
    this.finish('');
  }

  switchProtocols({ lead, hasRequestId }: ResponseHead): ClientTunnelEnd {
    this.status = 101;
    const requestId = hasRequestId ? '' : `X-Request-Id: ${this.requestId}\r\n`;
    this.#connection.write(`${lead}${requestId}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`);
    return this.#connection.becomeTunnel();
  }

  // What the connection tells.

  onClientDrain(): void {
    this.transfer?.onClientDrain();
  }

  onClientGone(): void {
    this.end();
  }

  onBodyTooSlow(): void {
    if (this.isAnswered) this.abort();
    else this.refuse(bodyTooSlow);
  }

  onUpstreamTimeout(): void {
    this.transfer?.onTimeout();
  }

  /** In one piece where head and body lie together already. */
  #writeAnswer(head: ResponseHead, tail: string, bytes: Buffer, ranges: readonly number[]): void {
    const [bodyStart, bodyEnd] = ranges;
    if (ranges.length === 2 && head.placeBefore !== undefined) {
      const start = head.placeBefore(bytes, bodyStart as number, tail);
      if (start >= 0) return this.#connection.writeBytes(bytes.subarray(start, bodyEnd));
    }
    this.#connection.writeAnswer(head.lead + tail, bytes, ranges);
  }

  #connectionField(asksForUpgrade = false): string {
    // An answer that came before the body was read is the last one: nobody waits for the rest.
    if (!this.body.isComplete || this.#connection.isLast) this.#keepsAlive = false;
    if (!this.#keepsAlive) return `Connection: close${asksForUpgrade ? ', Upgrade' : ''}\r\n`;
    if (this.head.isHttp10) return 'Connection: keep-alive\r\n';
    return asksForUpgrade ? 'Connection: Upgrade\r\n' : '';
  }
}

/** Status line and fields of an answer of ours. */
export function answerText(status: number, headers: readonly string[]): string {
  let text = `HTTP/1.1 ${status} ${reasonPhrase(status)}\r\n`;
  for (let index = 0; index + 1 < headers.length; index += 2)
    text += `${headers[index]}: ${headers[index + 1]}\r\n`;
  return text;
}
