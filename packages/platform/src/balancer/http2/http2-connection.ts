// A client's connection that speaks HTTP/2. Frames are Node's business, and so are the rules about
// them; here requests become exchanges, and a connection that nobody uses ends.
import {
  constants,
  performServerHandshake,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { TLSSocket } from 'node:tls';
import type { ConnectionSurroundings } from '../client-connection.ts';
import { clock } from '../clock.ts';
import { Peer } from '../client-origin.ts';
import type { Waiting } from '../deadlines.ts';
import type { Fault } from '../http1/field-scanner.ts';
import { requestProblem } from '../http1/request-problem.ts';
import * as refusal from '../refusal.ts';
import type { CertificateShelf } from '../tls/certificate-shelf.ts';
import { Http2Exchange } from './http2-exchange.ts';
import { http2Settings } from './http2-settings.ts';
import { readRequest } from './request-text.ts';
import { responseFields } from './response-fields.ts';

export class Http2Connection implements Waiting {
  readonly peer: Peer;
  readonly surroundings: ConnectionSurroundings;
  readonly isTunnel = false;
  deadlineMs: number;
  streamCount = 0;
  readonly #socket: TLSSocket;
  readonly #session: ServerHttp2Session;
  readonly #shelf: CertificateShelf;
  readonly #serverName: string | undefined;
  #isLeaving = false;

  constructor(socket: TLSSocket, surroundings: ConnectionSurroundings, shelf: CertificateShelf) {
    const { peers, deadlines, limits } = surroundings;
    this.surroundings = surroundings;
    this.#socket = socket;
    this.#shelf = shelf;
    this.#serverName = typeof socket.servername === 'string' ? socket.servername : undefined;
    this.peer = new Peer(socket.remoteAddress, { peers, isTls: true });
    this.#session = performServerHandshake(socket, http2Settings(limits));
    this.#session
      .on('stream', (stream, _, flags, fields) => this.#begin(stream, flags, fields))
      .on('error', () => undefined)
      .on('close', () => this.#closed());
    deadlines.add(this);
    this.deadlineMs = deadlines.after(limits.keepAliveMs);
  }

  get isIdle(): boolean {
    return this.streamCount === 0;
  }

  /** What is under way is finished; the client learns which requests were not taken. */
  closeSoon(): void {
    this.#isLeaving = true;
    this.#session.close();
  }

  destroy(): void {
    this.#session.destroy();
    this.#socket.destroy();
  }

  onDeadline(): void {
    if (this.streamCount > 0) return;
    if (this.#isLeaving) return this.destroy();
    this.closeSoon();
    this.#waitFor(this.surroundings.limits.lingerMs);
  }

  onStreamClosed(): void {
    this.streamCount -= 1;
    if (this.streamCount === 0) this.#waitFor(this.surroundings.limits.keepAliveMs);
  }

  #begin(stream: ServerHttp2Stream, flags: number, fields: readonly string[]): void {
    clock.tick();
    // Whoever resets it gets no answer.
    stream.on('error', () => undefined);
    if (stream.destroyed || stream.aborted) return;
    const hasBody = (flags & constants.NGHTTP2_FLAG_END_STREAM) === 0;
    const request = readRequest(fields, {
      hasBody,
      bytesMax: this.surroundings.limits.headBytesMax,
    });
    if ('fault' in request) return this.#refuse(stream, request.fault);
    this.streamCount += 1;
    this.#waitFor(Infinity);
    const exchange = new Http2Exchange(request.head, stream, this);
    const { router } = this.surroundings;
    const isAtTheDoor = !exchange.head.expectsContinue || exchange.body.isComplete;
    if (exchange.goesNoFurther) exchange.refuse(refusal.lastForward);
    else if (!this.#mayAnswer(exchange.host)) exchange.refuse(refusal.misdirected);
    else if (exchange.body.isComplete) router.handle(exchange);
    // Who asks before sending is told at once that nobody would read it.
    else if (!isAtTheDoor && !router.knows(exchange)) router.handle(exchange);
    else if (!router.takesBody(exchange)) router.handle(exchange);
    else exchange.readBody(() => router.handle(exchange));
  }

  /**
   * A client may ask on one connection for all hosts of the certificate it was shown (RFC 9113 section
   * 9.1.1). It is sent away with a host of another one: it would believe us without having seen that.
   */
  #mayAnswer(host: string | undefined): boolean {
    if (this.#serverName === undefined || host === undefined || host === this.#serverName)
      return true;
    return this.#shelf.showsSame(this.#serverName, host);
  }

  /** Before there is an exchange. */
  #refuse(stream: ServerHttp2Stream, fault: Fault): void {
    const { headers, body } = refusal.renderRefusal(requestProblem(fault), {
      accept: undefined,
      requestId: 'none',
    });
    stream.respond(responseFields(requestProblem(fault).status, '', headers));
    stream.end(body, () => stream.close(constants.NGHTTP2_NO_ERROR));
  }

  #closed(): void {
    this.surroundings.deadlines.remove(this);
  }

  #waitFor(timeoutMs: number): void {
    this.deadlineMs = this.surroundings.deadlines.after(timeoutMs);
  }
}
