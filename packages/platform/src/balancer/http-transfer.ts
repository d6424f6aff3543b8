// One pass of a request over one connection. Back-pressure both ways: the client's body is read as
// fast as the app takes it; the app's answer as fast as it comes, up to a bound, then as the client
// takes it.
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { LIMITS } from '../domain/limits.ts';
import type { Connection } from './connection-pool.ts';
import type { Outcome, Rewrite } from './exchange.ts';
import { responseHeaders, trailersOf } from './headers.ts';
import { holdAnswer, isHoldable } from './held-answer.ts';
import type { HttpExchange } from './http-exchange.ts';
import { reasonOf } from './upstream-error.ts';

const BROKEN_OFF = 'The answer of the site broke off.';

export class HttpTransfer {
  readonly #exchange: HttpExchange;
  readonly #connection: Connection;
  readonly #upstream: ClientRequest;
  readonly #outcome = Promise.withResolvers<Outcome>();
  readonly #reused: boolean;
  /** Ours to answer without it: the client's body stays behind. */
  readonly #withoutBody: boolean;
  readonly #startedMs = performance.now();
  #answering = false;
  #patience: NodeJS.Timeout | undefined;

  constructor(exchange: HttpExchange, connection: Connection, rewrite: Rewrite | undefined) {
    this.#exchange = exchange;
    this.#connection = connection;
    this.#reused = connection.reused;
    this.#withoutBody = rewrite !== undefined;
    this.#upstream = request({
      agent: connection.agent,
      method: exchange.method,
      path: rewrite?.path ?? exchange.head.target,
      headers: rewrite ? [...rewrite.headers] : exchange.headersFor(exchange.framing),
      setHost: false,
    });
  }

  async run(): Promise<Outcome> {
    const upstream = this.#upstream;
    const leave = (): void => this.#leave();
    upstream.on('error', (error) => this.#fail(error));
    upstream.on('information', (info) => this.#passInformation(info));
    upstream.on('response', (answer) => this.#passAnswer(answer));
    upstream.on('upgrade', (_answer, socket) => {
      socket.destroy();
      this.#fail(new Error('an upgrade nobody asked for'));
    });
    upstream.once('finish', () => this.#awaitAnswer());
    this.#exchange.ended.addEventListener('abort', leave, { once: true });
    this.#sendBody();
    const outcome = await this.#outcome.promise;
    this.#exchange.ended.removeEventListener('abort', leave);
    clearTimeout(this.#patience);
    return outcome;
  }

  /** The grace of a drain is over. */
  cut(): void {
    this.#upstream.destroy(Object.assign(new Error('cut'), { code: 'ECONNRESET' }));
  }

  #sendBody(): void {
    const { body, request: incoming, streamsBody } = this.#exchange;
    if (this.#withoutBody || !streamsBody) {
      this.#upstream.end(this.#withoutBody ? undefined : body);
      return;
    }
    this.#exchange.bodyWanted();
    incoming.pipe(this.#upstream, { end: false });
    incoming.once('end', () => {
      this.#exchange.bodyComplete();
      if (this.#exchange.framing.kind === 'chunked')
        this.#upstream.addTrailers(trailersOf(incoming.rawTrailers));
      this.#upstream.end();
    });
  }

  /** The request is out; from now on the app has its time. */
  #awaitAnswer(): void {
    if (this.#answering) return;
    this.#patience = setTimeout(() => {
      this.#outcome.resolve({ kind: 'timeout' });
      this.#upstream.destroy();
    }, LIMITS.balancer.responseTimeoutMs);
  }

  #passInformation(info: { statusCode: number; headers: NodeJS.Dict<string | string[]> }): void {
    const { response } = this.#exchange;
    const { link } = info.headers;
    if (info.statusCode !== 103 || link === undefined || response.headersSent) return;
    try {
      response.writeEarlyHints({ link });
    } catch {
      // Hints are only hints: a malformed one is dropped.
    }
  }

  #passAnswer(answer: IncomingMessage): void {
    const { response, trace } = this.#exchange;
    trace.upstreamMs = performance.now() - this.#startedMs;
    clearTimeout(this.#patience);
    answer.on('error', () => undefined);
    if (response.headersSent || response.destroyed) {
      this.#leave();
      return;
    }
    if (!this.#exchange.repeatable || !isHoldable(answer)) {
      this.#beginAnswer(answer, []);
      return;
    }
    holdAnswer(answer, {
      onRelease: (chunks) => this.#beginAnswer(answer, chunks),
      // Its head came, so the connection was alive.
      onBroken: () => this.#unanswered({ reason: BROKEN_OFF, stale: false, reset: false }),
    });
  }

  #beginAnswer(answer: IncomingMessage, chunks: readonly Buffer[]): void {
    const { response, requestId } = this.#exchange;
    if (response.destroyed) return;
    try {
      const headers = responseHeaders(answer.rawHeaders, requestId);
      response.writeHead(answer.statusCode ?? 502, answer.statusMessage ?? '', headers);
    } catch (error) {
      this.#fail(error);
      this.#upstream.destroy();
      return;
    }
    this.#answering = true;
    for (const chunk of chunks) this.#passChunk(answer, chunk);
    if (answer.readableEnded) this.#finish(answer);
    else this.#passBody(answer);
  }

  #passChunk(answer: IncomingMessage, chunk: Buffer): void {
    const { response } = this.#exchange;
    this.#exchange.bytesSent += chunk.length;
    if (response.write(chunk)) return;
    if (response.writableLength < LIMITS.balancer.responseBufferBytesMax) return;
    answer.pause();
    response.once('drain', () => answer.resume());
  }

  #passBody(answer: IncomingMessage): void {
    const { response } = this.#exchange;
    answer.on('data', (chunk: Buffer) => this.#passChunk(answer, chunk));
    answer.once('end', () => this.#finish(answer));
    answer.once('close', () => {
      if (answer.complete) return;
      // The client must not take half an answer for a whole one.
      response.destroy();
      this.#outcome.resolve({ kind: 'done' });
    });
    // The head of an answer whose body takes its time (server-sent events) goes out at once.
    setImmediate(() => {
      if (this.#exchange.bytesSent === 0 && !response.writableEnded) response.flushHeaders();
    });
  }

  #finish(answer: IncomingMessage): void {
    if (!answer.complete) return;
    const { response } = this.#exchange;
    const trailers = trailersOf(answer.rawTrailers);
    if (trailers.length > 0 && response.chunkedEncoding) response.addTrailers(trailers);
    response.end();
    // Answered before it had all of the body: what is left has no reader.
    if (!this.#upstream.writableFinished) this.#connection.socket.destroy();
    if (this.#exchange.streamsBody) this.#exchange.discardBody();
    this.#outcome.resolve({ kind: 'done' });
  }

  #fail(error: unknown): void {
    if (this.#answering) this.#exchange.response.destroy();
    this.#unanswered({ reason: reasonOf(error), stale: this.#reused, reset: isReset(error) });
  }

  #unanswered(how: Omit<Extract<Outcome, { kind: 'no-response' }>, 'kind'>): void {
    const over = this.#answering || this.#exchange.ended.aborted;
    this.#outcome.resolve(over ? { kind: 'done' } : { kind: 'no-response', ...how });
  }

  /** The client is gone, or was answered otherwise. */
  #leave(): void {
    this.#outcome.resolve({ kind: 'done' });
    this.#upstream.destroy();
  }
}

/** By a packet of the other end; an orderly close, after all was read, has no system call to name. */
function isReset(error: unknown): boolean {
  const { code, syscall } = error as NodeJS.ErrnoException;
  return syscall !== undefined && (code === 'ECONNRESET' || code === 'EPIPE');
}
