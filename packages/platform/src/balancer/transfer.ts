// One pass of a request over one connection: connect, send, read the answer, hand it on. Back-pressure
// both ways: the client's body is read as fast as the app takes it; the app's answer as fast as it
// comes, up to a bound, then as the client takes it.
import { AnswerReader } from './answer-reader.ts';
import { clock } from './clock.ts';
import type { ClientExchange } from './client-exchange.ts';
import type { OpenListener } from './connection-pool.ts';
import {
  DONE,
  type ForwardOptions,
  type Outcome,
  type OutcomeListener,
  TIMEOUT,
} from './exchange.ts';
import type { ResponseHead } from './http1/response-head.ts';
import type { BodySink } from './request-body.ts';
import type { Flight, Target } from './target.ts';
import { Tunnel } from './tunnel.ts';
import type { UpstreamConnection, UpstreamConsumer } from './upstream-connection.ts';
import { writeTogether } from './write-together.ts';
import { brokenOff, isReset, notHttp, reasonOf } from './upstream-error.ts';

const HALF_AN_ANSWER = 'The answer of the site broke off.';

export class Transfer implements Flight, OpenListener, UpstreamConsumer, BodySink {
  kind: Flight['kind'] = 'request';
  place = 0;
  readonly #exchange: ClientExchange;
  readonly #target: Target;
  readonly #options: ForwardOptions;
  #listener!: OutcomeListener;
  #connection: UpstreamConnection | undefined = undefined;
  #answer: AnswerReader | undefined = undefined;
  #wasReused = false;
  #isSent = false;
  #isSettled = false;
  #sentAtMs = 0;

  constructor(exchange: ClientExchange, target: Target, options: ForwardOptions) {
    this.#exchange = exchange;
    this.#target = target;
    this.#options = options;
  }

  start(listener: OutcomeListener): void {
    this.#listener = listener;
    const { connections } = this.#target;
    this.#target.begin(this);
    if (this.#options.fresh || this.#exchange.head.asksForWebSocket || connections.idleCount === 0)
      connections.open(this);
    else if (this.#exchange.repeatable) this.#takeIdle();
    // A close that has arrived already is seen in this turn of the loop.
    else setImmediate(() => this.#takeIdleNow());
  }

  /** The grace of a drain is over. */
  cut(): void {
    this.#connection?.destroy(Object.assign(new Error('cut'), { code: 'ECONNRESET' }));
  }

  onOpen(connection: UpstreamConnection): void {
    this.#connection = connection;
    this.#wasReused = connection.reused;
    // The acknowledged epoch promises that nothing starts on a withdrawn target.
    if (!this.#target.withdrawn && !this.#isSettled) return this.#send(connection);
    this.#target.connections.release(connection);
    this.#connection = undefined;
    this.#settle({ kind: 'not-sent', reason: 'The instance was replaced.' });
  }

  onOpenFailed(error: NodeJS.ErrnoException): void {
    this.#settle({ kind: 'not-sent', reason: reasonOf(error) });
  }

  onBody(bytes: Buffer): boolean {
    return this.#connection?.socket.write(bytes) ?? true;
  }

  onBodyEnd(): void {
    this.#isSent = true;
    if (!this.#exchange.isAnswered) this.#awaitAnswer();
  }

  onUpstreamDrain(): void {
    if (!this.#isSent) this.#exchange.resumeBody();
  }

  onUpstreamData(bytes: Buffer, start: number, end: number): void {
    this.#answer?.read(bytes, start, end);
  }

  onUpstreamEnd(): void {
    this.#answer?.readEnd();
    // What the app has not read by now it never will.
    this.#connection?.destroy();
  }

  onUpstreamClose(error: NodeJS.ErrnoException | undefined): void {
    this.#breakOff(reasonOf(error ?? brokenOff), error !== undefined && isReset(error));
  }

  /** The client takes more. */
  onClientDrain(): void {
    const { layer } = this.#exchange;
    if (layer === undefined) this.onRoom();
    else layer.onClientDrain();
  }

  /** Or it was answered otherwise. */
  onClientGone(): void {
    if (this.#isSettled) return;
    this.#connection?.destroy();
    this.#settle(DONE);
  }

  onTimeout(): void {
    this.#connection?.destroy();
    this.#settle(this.#exchange.isAnswered ? DONE : TIMEOUT);
  }

  // What AnswerReader finds.

  onInformation(head: ResponseHead): void {
    this.#exchange.inform(head);
  }

  onAnswer(): void {
    this.#exchange.trace.upstreamMs = clock.nowMs - this.#sentAtMs;
    this.#exchange.waitForUpstream(Infinity);
  }

  /** All that was asked of the connection is done. */
  onAnswerComplete(isReusable: boolean): void {
    const connection = this.#connection as UpstreamConnection;
    // Answered before it had all of the body: what is left has no reader.
    if (isReusable && this.#isSent) this.#target.connections.release(connection);
    else {
      connection.consumer = undefined;
      connection.destroy();
    }
    this.#connection = undefined;
    this.#settle(DONE);
  }

  onMalformed(): void {
    this.#breakOff(reasonOf(notHttp), false);
    this.#connection?.destroy();
  }

  /** More than the client takes. */
  onBacklog(): void {
    this.#connection?.socket.pause();
  }

  /** What was given was taken. */
  onRoom(): void {
    this.#connection?.socket.resume();
  }

  onBytesHeld(): void {
    this.#connection?.keepBytes();
  }

  onSwitch(head: ResponseHead, early: Buffer): void {
    const connection = this.#connection as UpstreamConnection;
    const exchange = this.#exchange;
    this.kind = 'tunnel';
    const tunnel = new Tunnel(exchange.switchProtocols(head), connection, {
      sent: (bytes) => (exchange.bytesSent += bytes),
      over: () => this.#settle(DONE),
    });
    if (early.length > 0) tunnel.onUpstreamData(Buffer.from(early), 0, early.length);
  }

  #takeIdleNow(): void {
    clock.tick();
    this.#takeIdle();
  }

  #takeIdle(): void {
    const { connections } = this.#target;
    const connection = connections.take(this.#target.reusableForMs(this.#exchange.repeatable));
    if (connection) this.onOpen(connection);
    else connections.open(this);
  }

  #send(connection: UpstreamConnection): void {
    const exchange = this.#exchange;
    const { rewrite } = this.#options;
    connection.consumer = this;
    this.#answer = new AnswerReader(exchange, this);
    this.#sentAtMs = clock.nowMs;
    const text = exchange.requestText(rewrite);
    const body = rewrite === undefined ? exchange.body.whole() : undefined;
    // The static server has no use for a body; ours to answer without it.
    this.#isSent = rewrite !== undefined || exchange.body.isReadAhead;
    if (body === undefined) writeTogether(connection.socket, text);
    else connection.socket.write(joined(text, body));
    if (this.#isSent) this.#awaitAnswer();
    else exchange.sendBodyTo(this);
  }

  /** The request is out; from now on the app has its time. */
  #awaitAnswer(): void {
    this.#exchange.waitForUpstream(this.#exchange.responseTimeoutMs);
  }

  /** The answer will not be complete. */
  #breakOff(reason: string, reset: boolean): void {
    if (this.#isSettled) return;
    const exchange = this.#exchange;
    if (exchange.isAnswered) {
      this.#settle(DONE);
      exchange.abort();
      return;
    }
    // Its head came, so the connection was alive.
    if (this.#answer?.hasHead)
      this.#settle({ kind: 'no-response', reason: HALF_AN_ANSWER, stale: false, reset: false });
    else this.#settle({ kind: 'no-response', reason, stale: this.#wasReused, reset });
  }

  #settle(outcome: Outcome): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#answer?.close();
    if (this.#connection) this.#connection.consumer = undefined;
    this.#target.end(this);
    this.#listener.onOutcome(this.#exchange, this.#target, outcome);
  }
}

function joined(text: string, body: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(text.length + body.length);
  bytes.write(text, 'latin1');
  body.copy(bytes, text.length);
  return bytes;
}
