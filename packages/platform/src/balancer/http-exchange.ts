// A request and its response on the client's side, by node:http.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { LIMITS } from '../domain/limits.ts';
import type { TrustedPeers } from './client-origin.ts';
import type { Framing } from './headers.ts';
import { IncomingExchange, STATUS_CLIENT_GONE } from './incoming-exchange.ts';
import { bodyTooSlow, type Refusal, renderRefusal } from './refusal.ts';

/** With it a body is expected, so an absent one is said to be empty. */
const METHODS_WITH_BODY: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH']);
/** For a client that still sends what nobody will read. */
const LINGER_MS = 1_000;

export class HttpExchange extends IncomingExchange {
  readonly response: ServerResponse;
  /** The whole body once it was read ahead; streams otherwise. */
  body: Buffer | undefined;
  #awaitsContinue: boolean;

  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    options: { readonly peers: TrustedPeers; readonly awaitsContinue: boolean },
  ) {
    super(request, options.peers);
    this.response = response;
    this.#awaitsContinue = options.awaitsContinue;
    response.sendDate = false;
    response.once('close', () => this.end.abort());
    response.on('error', () => undefined);
    request.on('error', () => undefined);
  }

  get framing(): Framing {
    if (this.body) return { kind: 'length', bytes: this.body.length };
    if (this.header('transfer-encoding') !== undefined) return { kind: 'chunked' };
    const length = this.header('content-length');
    if (length !== undefined) return { kind: 'length', bytes: Number(length) };
    return METHODS_WITH_BODY.has(this.method) ? { kind: 'length', bytes: 0 } : { kind: 'none' };
  }

  get streamsBody(): boolean {
    const { framing } = this;
    return (
      framing.kind === 'chunked' || (framing.kind === 'length' && framing.bytes > 0 && !this.body)
    );
  }

  get repeatable(): boolean {
    return this.idempotent && !this.streamsBody;
  }

  protected get status(): number {
    return this.response.headersSent ? this.response.statusCode : STATUS_CLIENT_GONE;
  }

  /** A body that is small and of known length is read before any instance is asked for. */
  async readSmallBody(): Promise<void> {
    const { framing } = this;
    if (framing.kind !== 'length' || framing.bytes === 0) return;
    if (framing.bytes > LIMITS.balancer.smallBodyBytesMax) return;
    this.bodyWanted();
    const body = await this.#readBody();
    if (body) this.body = body;
  }

  /** Lets a client that asked first send its body (RFC 9110 section 10.1.1). */
  bodyWanted(): void {
    if (this.#awaitsContinue && !this.response.headersSent) this.response.writeContinue();
    this.#awaitsContinue = false;
    this.request.setTimeout(LIMITS.balancer.bodyIdleTimeoutMs, () => {
      if (!this.response.headersSent) this.refuse(bodyTooSlow);
      else this.response.destroy();
    });
  }

  bodyComplete(): void {
    this.request.setTimeout(0);
  }

  refuse(refusal: Refusal): void {
    const { response } = this;
    if (response.headersSent || response.destroyed) return;
    const answer = renderRefusal(refusal, {
      accept: this.header('accept'),
      requestId: this.requestId,
    });
    if (this.streamsBody && !this.request.complete) response.shouldKeepAlive = false;
    response.writeHead(refusal.status, answer.headers);
    this.bytesSent = this.method === 'HEAD' ? 0 : answer.body.length;
    response.end(answer.body);
    this.discardBody();
  }

  /** What is left of the body is read away for a moment, so the client sees the answer. */
  discardBody(): void {
    const { request } = this;
    if (request.complete) return;
    request.unpipe();
    request.resume();
    const timer = setTimeout(() => {
      if (!request.complete) request.destroy();
    }, LINGER_MS);
    request.once('close', () => clearTimeout(timer));
  }

  #readBody(): Promise<Buffer | undefined> {
    const { promise, resolve } = Promise.withResolvers<Buffer | undefined>();
    const chunks: Buffer[] = [];
    const leave = (): void => resolve(undefined);
    this.request.on('data', (chunk: Buffer) => chunks.push(chunk));
    this.request.once('end', () => {
      this.bodyComplete();
      this.ended.removeEventListener('abort', leave);
      resolve(Buffer.concat(chunks));
    });
    this.ended.addEventListener('abort', leave, { once: true });
    return promise;
  }
}
