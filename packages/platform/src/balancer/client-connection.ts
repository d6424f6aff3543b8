// A client's connection that speaks HTTP/1.1: one request after the other, each an exchange; then
// perhaps a tunnel. Every state it waits in has a deadline.
import type { Socket } from 'node:net';
import type { ExchangeSurroundings } from './client-exchange.ts';
import { clock } from './clock.ts';
import { Peer, type TrustedPeers } from './client-origin.ts';
import type { Deadlines, Waiting } from './deadlines.ts';
import { Http1Exchange, answerText } from './http1-exchange.ts';
import { INCOMPLETE } from './http1/field-scanner.ts';
import { RequestHeadReader } from './http1/request-head.ts';
import { requestProblem } from './http1/request-problem.ts';
import * as refusal from './refusal.ts';
import type { Router } from './router.ts';
import { TOGETHER_BYTES_MAX, writeTogether } from './write-together.ts';
import { type ClientTunnelEnd, type ClientTunnelListener, SocketTunnelEnd } from './tunnel.ts';

export interface ConnectionSurroundings extends ExchangeSurroundings {
  readonly peers: TrustedPeers;
  readonly deadlines: Deadlines;
  readonly router: Router;
  /** No more requests than the ones that are here. */
  readonly isClosing: () => boolean;
}

/** What the next bytes are. */
type Phase =
  | 'head'
  | 'body'
  /** Nothing yet: the answer is awaited or sent. */
  | 'answer'
  | 'tunnel'
  /** Nothing any more: they are read away until the client has seen what it was told. */
  | 'over';

/**
 * A TLS socket says only in a later turn of the loop that it has encrypted what it was given. To copy
 * a small answer costs less than new memory to read the next one into.
 */
const COPIED_BYTES_MAX = 16 * 1024;

const heads = new RequestHeadReader();

export class ClientConnection implements Waiting {
  readonly socket: Socket;
  readonly peer: Peer;
  deadlineMs: number;
  readonly #surroundings: ConnectionSurroundings;
  #phase: Phase = 'head';
  #exchange: Http1Exchange | undefined = undefined;
  #tunnel: ClientTunnelListener | undefined = undefined;
  /** Received and not yet read: part of a head, or later requests. */
  #input: Buffer | undefined = undefined;
  /** Length of `#input` when its head was last found incomplete. */
  #scannedBytes = 0;
  #isAdvancing = false;
  #isAwaitingUpstream = false;
  #stalledBytes = 0;
  readonly #isTls: boolean;
  /** What was last written is the bytes of another. */
  #hasLentBytes = false;

  /** `peer`: unless it is who the socket says. */
  constructor(
    socket: Socket,
    surroundings: ConnectionSurroundings,
    { isTls = false, peer }: { readonly isTls?: boolean; readonly peer?: Peer | undefined } = {},
  ) {
    this.socket = socket;
    this.#surroundings = surroundings;
    this.#isTls = isTls;
    const { peers, deadlines, limits } = surroundings;
    this.peer = peer ?? new Peer(socket.remoteAddress, { peers, isTls });
    deadlines.add(this);
    this.deadlineMs = deadlines.after(limits.headTimeoutMs);
    socket
      .on('data', (bytes) => this.#take(bytes))
      .on('drain', () => this.#drained())
      .on('end', () => this.#ended())
      .on('error', () => socket.destroy())
      .on('close', () => this.#closed());
  }

  /** After this answer the connection ends. */
  get isLast(): boolean {
    return this.#surroundings.isClosing();
  }

  /** No request is under way and none has begun. */
  get isIdle(): boolean {
    return this.#phase === 'head' && this.#input === undefined;
  }

  get isTunnel(): boolean {
    return this.#phase === 'tunnel';
  }

  onDeadline(): void {
    switch (this.#phase) {
      case 'head':
        if (this.#isTaking()) return;
        return this.#input === undefined ? this.destroy() : this.#refuse(refusal.headTooSlow);
      case 'body':
        if (this.#exchange?.body.isFull !== true) return this.#exchange?.onBodyTooSlow();
        this.#waitFor(this.#exchange.responseTimeoutMs);
        return this.#exchange.onUpstreamTimeout();
      case 'answer':
        if (!this.#isAwaitingUpstream) return this.#isTaking() ? undefined : this.destroy();
        this.#waitFor(Infinity);
        return this.#exchange?.onUpstreamTimeout();
      case 'tunnel':
        return;
      case 'over':
        return this.#isTaking() ? undefined : this.destroy();
    }
  }

  /** Said with the next answer. */
  closeSoon(): void {}

  destroy(): void {
    this.socket.destroy();
  }

  // For the exchange.

  write(text: string): void {
    this.socket.write(text, 'latin1');
  }

  /** In one piece: the head is written over what is before the body. */
  writeAnswer(text: string, bytes: Buffer, ranges: readonly number[]): void {
    const [start = 0, end = 0] = ranges;
    this.#hasLentBytes = true;
    if (this.#isTls && ranges.length === 2 && end - start <= COPIED_BYTES_MAX) {
      this.#hasLentBytes = false;
      this.socket.write(joined(text, bytes, start, end));
    } else if (ranges.length === 2 && start >= text.length) {
      bytes.write(text, start - text.length, 'latin1');
      this.socket.write(bytes.subarray(start - text.length, end));
    } else if (ranges.length === 0) this.write(text);
    else {
      this.socket.cork();
      this.write(text);
      this.#writeAll(bytes, ranges);
      this.socket.uncork();
    }
    this.#watchStall();
  }

  /** A whole answer, in memory that is read into again. */
  writeBytes(bytes: Buffer): void {
    this.#hasLentBytes = bytes.length > TOGETHER_BYTES_MAX;
    if (this.#hasLentBytes) this.socket.write(bytes);
    else writeTogether(this.socket, copyOf(bytes));
    this.#watchStall();
  }

  writeRanges(bytes: Buffer, ranges: readonly number[]): void {
    this.#hasLentBytes = true;
    if (ranges.length === 2) this.#writeAll(bytes, ranges);
    else {
      this.socket.cork();
      this.#writeAll(bytes, ranges);
      this.socket.uncork();
    }
    this.#watchStall();
  }

  /** Each range becomes a chunk. */
  writeChunks(bytes: Buffer, ranges: readonly number[]): void {
    this.#hasLentBytes = true;
    this.socket.cork();
    for (let index = 0; index < ranges.length; index += 2) {
      const [start = 0, end = 0] = [ranges[index], ranges[index + 1]];
      this.write(`${(end - start).toString(16)}\r\n`);
      this.socket.write(bytes.subarray(start, end));
      this.write('\r\n');
    }
    this.socket.uncork();
    this.#watchStall();
  }

  /** The bytes last given are still to be read. */
  get holdsBytes(): boolean {
    return this.#hasLentBytes && this.socket.writableLength > 0;
  }

  waitForUpstream(timeoutMs: number): void {
    this.#isAwaitingUpstream = timeoutMs !== Infinity;
    if (this.#phase === 'answer') this.#waitFor(timeoutMs);
  }

  resumeBody(): void {
    if (this.#phase === 'body' && this.#exchange?.body.isFull === false) this.socket.resume();
  }

  /** Its answer is complete: the next request may be read, or the connection ends. */
  exchangeOver(keepsAlive: boolean): void {
    this.#exchange = undefined;
    this.#isAwaitingUpstream = false;
    if (!keepsAlive || this.socket.readableEnded) return this.#close();
    this.#phase = 'head';
    this.#waitFor(this.#surroundings.limits.keepAliveMs);
    if (this.#input === undefined) return;
    if (this.socket.isPaused()) this.socket.resume();
    this.#advance();
  }

  becomeTunnel(): ClientTunnelEnd {
    this.#phase = 'tunnel';
    this.#waitFor(Infinity);
    return new SocketTunnelEnd(this.socket, (listener) => {
      this.#tunnel = listener;
      const early = this.#input;
      this.#input = undefined;
      if (early !== undefined) listener.onClientData(early);
      this.socket.resume();
    });
  }

  #take(bytes: Buffer): void {
    clock.tick();
    switch (this.#phase) {
      case 'head':
        this.#keep(bytes);
        return this.#advance();
      case 'body':
        return this.#takeBody(this.#exchange as Http1Exchange, bytes);
      case 'answer':
        this.#keep(bytes);
        if ((this.#input?.length ?? 0) > this.#surroundings.limits.pipelinedBytesMax)
          this.socket.pause();
        return;
      case 'tunnel':
        return this.#tunnel?.onClientData(bytes);
      case 'over':
        return;
    }
  }

  #keep(bytes: Buffer): void {
    this.#input = this.#input === undefined ? bytes : Buffer.concat([this.#input, bytes]);
  }

  /** Requests whose answers are here at once are read in a loop, not one inside the other. */
  #advance(): void {
    if (this.#isAdvancing) return;
    this.#isAdvancing = true;
    while (this.#phase === 'head' && this.#input !== undefined && this.#readHead(this.#input));
    this.#isAdvancing = false;
  }

  /** False when it is not all here, or is none. */
  #readHead(input: Buffer): boolean {
    if (!this.#isWorthReading(input)) return false;
    const { headBytesMax, headTimeoutMs } = this.#surroundings.limits;
    const end = heads.read(input, 0, input.length);
    if (end > headBytesMax || (end === INCOMPLETE && input.length > headBytesMax)) {
      const lineEnd = input.indexOf('\r\n');
      const isLineLong = lineEnd < 0 || lineEnd > headBytesMax;
      this.#refuse(isLineLong ? refusal.targetTooLong : refusal.headTooLarge);
      return false;
    }
    if (end === INCOMPLETE) {
      if (this.#scannedBytes === 0) this.#waitFor(headTimeoutMs);
      this.#scannedBytes = input.length;
      return false;
    }
    if (end < 0) {
      this.#refuse(requestProblem(end));
      return false;
    }
    this.#scannedBytes = 0;
    this.#input = end < input.length ? input.subarray(end) : undefined;
    this.#begin(new Http1Exchange(heads.head, this, this.#surroundings));
    return true;
  }

  /** A head that comes in crumbs is not read anew for each of them. */
  #isWorthReading(input: Buffer): boolean {
    if (this.#scannedBytes === 0) return true;
    return (
      input.length >= 2 * this.#scannedBytes ||
      input.length > this.#surroundings.limits.headBytesMax ||
      input.includes('\r\n\r\n', Math.max(0, this.#scannedBytes - 3), 'latin1')
    );
  }

  #begin(exchange: Http1Exchange): void {
    const { body } = exchange;
    this.#exchange = exchange;
    if (body.isComplete) {
      this.#phase = 'answer';
      this.#waitFor(Infinity);
      return this.#route(exchange);
    }
    this.#phase = 'body';
    // Who asks before sending, or says that it is too much, is told at once.
    const { router } = this.#surroundings;
    if (exchange.head.expectsContinue && !router.knows(exchange)) return router.handle(exchange);
    if (!router.takesBody(exchange)) return router.handle(exchange);
    if (body.isReadAhead) exchange.askForBody();
    this.#waitFor(this.#surroundings.limits.bodyIdleTimeoutMs);
    const bytes = this.#input;
    this.#input = undefined;
    if (bytes !== undefined) this.#takeBody(exchange, bytes);
    if (!body.isReadAhead && !exchange.isEnded) this.#route(exchange);
  }

  #route(exchange: Http1Exchange): void {
    if (exchange.goesNoFurther) exchange.refuse(refusal.lastForward);
    else this.#surroundings.router.handle(exchange);
  }

  #takeBody(exchange: Http1Exchange, bytes: Buffer): void {
    const { body } = exchange;
    const { bodyIdleTimeoutMs } = this.#surroundings.limits;
    const { responseTimeoutMs } = exchange;
    const end = body.take(bytes, 0);
    if (end < 0) {
      if (exchange.isAnswered) this.destroy();
      else exchange.refuse(requestProblem(end));
    } else if (body.isComplete) {
      this.#phase = 'answer';
      if (end < bytes.length) this.#input = bytes.subarray(end);
      this.#waitFor(this.#isAwaitingUpstream ? responseTimeoutMs : Infinity);
      if (body.isReadAhead) this.#route(exchange);
    } else if (body.isFull) {
      // It waits for the app now, not for the client.
      this.socket.pause();
      this.#waitFor(responseTimeoutMs);
    } else this.#waitFor(bodyIdleTimeoutMs);
  }

  #drained(): void {
    if (this.#phase === 'tunnel') this.#tunnel?.onClientDrain();
    else this.#exchange?.onClientDrain();
    if (this.#phase === 'answer' && !this.#isAwaitingUpstream) this.#waitFor(Infinity);
  }

  /** The client sends no more. */
  #ended(): void {
    clock.tick();
    if (this.#phase === 'tunnel') return this.#tunnel?.onClientEnd();
    // The rest of an answer may still be read; who waits for one is gone, as far as anybody can tell.
    if (this.#phase === 'head' && this.socket.writableLength > 0) return this.#close();
    this.destroy();
  }

  #closed(): void {
    clock.tick();
    this.#phase = 'over';
    this.#surroundings.deadlines.remove(this);
    this.#exchange?.onClientGone();
    this.#tunnel?.onClientClose();
  }

  /** Before there is an exchange. */
  #refuse(page: refusal.Refusal): void {
    const { headers, body } = refusal.renderRefusal(page, { accept: undefined, requestId: 'none' });
    const text = `${answerText(page.status, headers)}Connection: close\r\n\r\n`;
    this.writeAnswer(text, body, [0, body.length]);
    this.#close();
  }

  /** Lets the client read what it was told; what it sends meanwhile is read away. */
  #close(): void {
    this.#phase = 'over';
    this.#input = undefined;
    this.socket.end(() => this.#waitFor(this.#surroundings.limits.lingerMs));
    this.socket.resume();
    this.#stalledBytes = this.socket.writableLength;
    this.#waitFor(this.#surroundings.limits.answerStallMs);
  }

  #writeAll(bytes: Buffer, ranges: readonly number[]): void {
    for (let index = 0; index < ranges.length; index += 2)
      this.socket.write(bytes.subarray(ranges[index], ranges[index + 1]));
  }

  #waitFor(timeoutMs: number): void {
    this.deadlineMs = this.#surroundings.deadlines.after(timeoutMs);
  }

  /** A client must take something of its answer now and then. */
  #watchStall(): void {
    if (this.#phase !== 'answer' || this.socket.writableLength === 0) return;
    this.#stalledBytes = this.socket.writableLength;
    this.#waitFor(this.#surroundings.limits.answerStallMs);
  }

  /** Something of what waits was taken since the last look: it may go on. */
  #isTaking(): boolean {
    const waiting = this.socket.writableLength;
    if (waiting === 0 || waiting === this.#stalledBytes) return false;
    this.#stalledBytes = waiting;
    this.#waitFor(this.#surroundings.limits.answerStallMs);
    return true;
  }
}

function copyOf(bytes: Buffer): Buffer {
  const copy = Buffer.allocUnsafe(bytes.length);
  bytes.copy(copy);
  return copy;
}

function joined(text: string, bytes: Buffer, start: number, end: number): Buffer {
  const whole = Buffer.allocUnsafe(text.length + end - start);
  whole.write(text, 'latin1');
  bytes.copy(whole, text.length, start, end);
  return whole;
}
