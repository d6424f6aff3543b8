// What requests and upgrades of node:http have in common on their way.
import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { ACCESS_PATH_BYTES_MAX, type AccessRecord } from '../ports/route-messages.ts';
import { type ClientOrigin, originOf, type TrustedPeers } from './client-origin.ts';
import type { Exchange, Trace } from './exchange.ts';
import { type Framing, requestHeaders } from './headers.ts';
import type { Refusal } from './refusal.ts';
import { readRequestHead, type RequestHead } from './request-head.ts';

const REQUEST_ID = /^[A-Za-z0-9._-]{8,100}$/;
const IDEMPOTENT: ReadonlySet<string> = new Set([
  'GET',
  'HEAD',
  'OPTIONS',
  'TRACE',
  'PUT',
  'DELETE',
]);
/** What nginx calls a client that closed before it was answered. */
export const STATUS_CLIENT_GONE = 499;

export abstract class IncomingExchange implements Exchange {
  readonly request: IncomingMessage;
  readonly head: RequestHead;
  readonly origin: ClientOrigin;
  readonly requestId: string;
  readonly trace: Trace = {};
  readonly startedMs = performance.now();
  readonly startedWallMs = Date.now();
  /** Of the response body. */
  bytesSent = 0;
  protected readonly end = new AbortController();

  constructor(request: IncomingMessage, peers: TrustedPeers) {
    this.request = request;
    this.head = readRequestHead({
      method: request.method ?? '',
      url: request.url ?? '',
      httpVersion: request.httpVersion,
      rawHeaders: request.rawHeaders,
    });
    this.origin = originOf(
      {
        remoteAddress: request.socket.remoteAddress,
        hostHeader: this.head.hostHeader,
        header: (name) => this.header(name),
      },
      peers,
    );
    this.requestId = this.#requestId();
  }

  abstract readonly repeatable: boolean;
  abstract refuse(refusal: Refusal): void;
  protected abstract readonly status: number;

  get method(): string {
    return this.head.method;
  }

  get host(): string | undefined {
    return this.head.host;
  }

  get path(): string {
    return this.head.path;
  }

  get ended(): AbortSignal {
    return this.end.signal;
  }

  protected get idempotent(): boolean {
    return IDEMPOTENT.has(this.method);
  }

  header(name: string): string | undefined {
    const value = this.request.headers[name];
    return Array.isArray(value) ? value.join(', ') : value;
  }

  headersFor(framing: Framing): string[] {
    return requestHeaders(this.request.rawHeaders, {
      requestId: this.requestId,
      hostHeader: this.head.hostHeader,
      origin: this.origin,
      framing,
      startedWallMs: this.startedWallMs,
    });
  }

  accessRecord(): AccessRecord {
    const { appId, instanceId, upstreamMs } = this.trace;
    return {
      atMs: this.startedWallMs,
      ...(appId !== undefined && { appId }),
      host: this.host ?? this.head.hostHeader.slice(0, 255),
      method: this.method,
      path: this.head.target.slice(0, ACCESS_PATH_BYTES_MAX),
      status: this.status,
      bytes: this.bytesSent,
      durationMs: round(performance.now() - this.startedMs),
      ...(upstreamMs !== undefined && { upstreamMs: round(upstreamMs) }),
      ...(instanceId !== undefined && { instanceId }),
      requestId: this.requestId,
      clientIp: this.origin.clientIp,
    };
  }

  #requestId(): string {
    const given = this.header('x-request-id');
    if (this.origin.trusted && given !== undefined && REQUEST_ID.test(given)) return given;
    return randomBytes(10).toString('hex');
  }
}

/** Microseconds are noise. */
const round = (ms: number): number => Math.round(ms * 100) / 100;
