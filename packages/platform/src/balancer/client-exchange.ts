// What requests of all HTTP versions have in common on their way: who asks, what the app is told, how
// it went. How an answer is written is left to the version.
import type { BalancerLimits } from '../domain/limits.ts';
import type { AccessRecord } from '../ports/route-messages.ts';
import type { AnswerLayer, AnswerSink, Treatment } from './answer-changes.ts';
import { clock } from './clock.ts';
import type { ClientOrigin, Peer } from './client-origin.ts';
import type { Exchange, ForwardOptions, OutcomeListener, Rewrite, Trace } from './exchange.ts';
import { type BodyFraming, fieldOf, type RequestHead } from './http1/request-head.ts';
import type { ResponseHead } from './http1/response-head.ts';
import type { Journey } from './journey.ts';
import type { AdmissionPolicy } from './policy/admission.ts';
import type { Refusal } from './refusal.ts';
import { type BodySink, type RequestBody, requestBodyOf } from './request-body.ts';
import { acceptedRequestId, newRequestId } from './request-id.ts';
import type { Target } from './target.ts';
import { Transfer } from './transfer.ts';
import type { ClientTunnelEnd } from './tunnel.ts';

const IDEMPOTENT: ReadonlySet<string> = new Set([
  ...['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE'],
]);
const COUNTS_FORWARDS: ReadonlySet<string> = new Set(['OPTIONS', 'TRACE']);
/** What nginx calls a client that closed before it was answered. */
const STATUS_CLIENT_GONE = 499;

export interface ExchangeSurroundings {
  readonly limits: BalancerLimits;
  readonly onAccess: (record: AccessRecord) => void;
}

export abstract class ClientExchange implements Exchange, AnswerSink {
  readonly head: RequestHead;
  readonly body: RequestBody;
  readonly origin: ClientOrigin;
  readonly requestId: string;
  readonly trace: Trace = { appId: undefined, instanceId: undefined, upstreamMs: undefined };
  readonly limits: BalancerLimits;
  journey: Journey | undefined = undefined;
  treatment: Treatment | undefined = undefined;
  passed: Set<AdmissionPolicy> | undefined = undefined;
  draw: number | undefined = undefined;
  isEnded = false;
  /** Of the response body. */
  bytesSent = 0;
  /** Of the answer once its head went out. */
  status = 0;
  protected transfer: Transfer | undefined = undefined;
  #layer: AnswerLayer | undefined = undefined;
  readonly #onAccess: (record: AccessRecord) => void;
  readonly #startedMs = clock.nowMs;
  readonly #startedWallMs = clock.wallMs;
  #ended: AbortController | undefined = undefined;

  constructor(head: RequestHead, peer: Peer, { limits, onAccess }: ExchangeSurroundings) {
    this.head = head;
    this.limits = limits;
    this.#onAccess = onAccess;
    this.body = requestBodyOf(head.body, limits);
    this.origin = peer.originOf(head);
    const given = peer.isTrusted ? acceptedRequestId(this.header('x-request-id')) : undefined;
    this.requestId = given ?? newRequestId();
  }

  get method(): string {
    return this.head.method;
  }

  get host(): string | undefined {
    return this.origin.host;
  }

  get path(): string {
    return this.head.path;
  }

  get target(): string {
    return this.head.target;
  }

  get responseTimeoutMs(): number {
    return this.treatment?.responseTimeoutMs ?? this.limits.responseTimeoutMs;
  }

  get repeatable(): boolean {
    return this.head.method === 'GET' ? this.body.isReadAhead : this.#isRepeatable();
  }

  /** It names this server as the last one to get it. */
  get goesNoFurther(): boolean {
    const { hasMaxForwards, method } = this.head;
    return (
      hasMaxForwards &&
      COUNTS_FORWARDS.has(method) &&
      /^0+$/.test(this.header('max-forwards') ?? '')
    );
  }

  #isRepeatable(): boolean {
    return this.body.isReadAhead && IDEMPOTENT.has(this.head.method);
  }

  get ended(): AbortSignal {
    this.#ended ??= new AbortController();
    if (this.isEnded) this.#ended.abort();
    return this.#ended.signal;
  }

  /** The head of an answer is on its way to the client. */
  get isAnswered(): boolean {
    return this.status !== 0;
  }

  header(name: string): string | undefined {
    return fieldOf(this.head, name);
  }

  limitBody(bytesMax: number): boolean {
    return this.body.limit(bytesMax);
  }

  /** What the body of the answer passes through, if anything. */
  get layer(): AnswerLayer | undefined {
    return this.#layer;
  }

  set layer(layer: AnswerLayer | undefined) {
    // An answer that broke off before it was passed on had one of its own.
    this.#layer?.close();
    this.#layer = layer;
  }

  forward(target: Target, options: ForwardOptions, listener: OutcomeListener): void {
    this.transfer = new Transfer(this, target, options);
    this.transfer.start(listener);
  }

  /** The head for the app, hop by hop anew. */
  requestText(rewrite: Rewrite | undefined): string {
    if (rewrite !== undefined) return rewrittenText(this.head.method, rewrite);
    const end = endOf(this.#startedWallMs);
    const text = `${this.#lead()}${this.origin.fields}X-Request-Id: ${this.requestId}`;
    if (this.body.framing.kind === 'none' && !this.head.asksForWebSocket) return text + end;
    const framing = this.head.asksForWebSocket ? UPGRADE_FIELDS : framingField(this.body.framing);
    return `${text}\r\n${framing}${end.slice(2)}`;
  }

  /** From now on its body goes to `sink`. */
  abstract sendBodyTo(sink: BodySink): void;
  /** `sink` takes more. */
  abstract resumeBody(): void;
  /** 103 and the like. */
  abstract inform(head: ResponseHead): void;
  /**
   * The head of the answer and the first of its body: `ranges` of `bytes`. What is before the first
   * range may be overwritten.
   */
  abstract begin(head: ResponseHead, bytes: Buffer, ranges: readonly number[]): void;
  /** More of the body. */
  abstract send(bytes: Buffer, ranges: readonly number[]): void;
  /** Chunks are passed on as they are. */
  abstract readonly takesChunks: boolean;
  /** The bytes last given are still to be read: leave them alone. */
  abstract readonly holdsBytes: boolean;
  /** The client reads slower than the app writes, beyond the bound. */
  abstract readonly isBacklogged: boolean;
  /** The answer is complete. `end`: what ends chunks that were passed as they are. */
  abstract finish(end: string): void;
  /** Half an answer must not be taken for a whole one. */
  abstract abort(): void;
  /** The transfer is told when `timeoutMs` have passed; Infinity: no longer. */
  abstract waitForUpstream(timeoutMs: number): void;
  /** The app agreed to speak WebSocket. */
  abstract switchProtocols(head: ResponseHead): ClientTunnelEnd;
  abstract refuse(refusal: Refusal): void;

  /** Once, whatever happened. */
  protected end(): void {
    if (this.isEnded) return;
    this.isEnded = true;
    this.#ended?.abort();
    this.#layer?.close();
    this.transfer?.onClientGone();
    this.#onAccess(this.#accessRecord());
  }

  /** As the route wants it; and RFC 9110 section 7.6.2. */
  #lead(): string {
    const { head, treatment } = this;
    let { lead } = head;
    if (treatment?.requestFields !== undefined) {
      const fieldsStart = lead.indexOf('\r\n', lead.indexOf('\r\n') + 2) + 2;
      lead = lead.slice(0, fieldsStart) + treatment.requestFields(lead.slice(fieldsStart));
    }
    if (!head.hasMaxForwards || !COUNTS_FORWARDS.has(head.method)) return lead;
    return lead.replace(/^(max-forwards:\s*)(\d+)/im, (_, name: string, count: string) => {
      return `${name}${Number(count) - 1}`;
    });
  }

  #accessRecord(): AccessRecord {
    const { head, origin } = this;
    const record: AccessRecord = {
      atMs: this.#startedWallMs,
      host: origin.host ?? head.authority.slice(0, 255),
      method: head.method,
      path: head.target.slice(0, this.limits.accessPathBytesMax),
      status: this.isAnswered ? this.status : STATUS_CLIENT_GONE,
      bytes: this.bytesSent,
      durationMs: round(clock.nowMs - this.#startedMs),
      requestId: this.requestId,
      clientIp: origin.clientIp,
    };
    const { appId, instanceId, upstreamMs } = this.trace;
    if (appId !== undefined) record.appId = appId;
    if (instanceId !== undefined) record.instanceId = instanceId;
    if (upstreamMs !== undefined) record.upstreamMs = round(upstreamMs);
    return record;
  }
}

let lastEndMs = 0;
let lastEnd = '';

/** Behind the request id; the same for all requests of a millisecond. */
function endOf(wallMs: number): string {
  if (wallMs !== lastEndMs) {
    lastEndMs = wallMs;
    lastEnd = `\r\nX-Request-Start: t=${wallMs}\r\n\r\n`;
  }
  return lastEnd;
}

const UPGRADE_FIELDS = 'Connection: Upgrade\r\nUpgrade: websocket\r\n';

function framingField(framing: BodyFraming): string {
  switch (framing.kind) {
    case 'none':
      return '';
    case 'length':
      return `Content-Length: ${framing.bytes}\r\n`;
    case 'chunked':
      return 'Transfer-Encoding: chunked\r\n';
  }
}

function rewrittenText(method: string, { path, headers }: Rewrite): string {
  let text = `${method} ${path} HTTP/1.1\r\n`;
  for (let index = 0; index + 1 < headers.length; index += 2)
    text += `${headers[index]}: ${headers[index + 1]}\r\n`;
  return `${text}\r\n`;
}

/** Microseconds are noise. */
const round = (ms: number): number => Math.round(ms * 100) / 100;
