// Heads as they go on: hop-by-hop headers removed, what only we may say written by us.
import type { ClientOrigin } from './client-origin.ts';

/** RFC 9110 section 7.6.1, and what old proxies invented. Framing is written anew on each side. */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Said by us alone: an app behind a proxy believes these. */
const OURS: ReadonlySet<string> = new Set([
  'forwarded',
  'x-real-ip',
  'x-request-id',
  'x-request-start',
  'x-scheme',
  'x-url-scheme',
  'front-end-https',
]);
const OURS_PREFIX = /^x-(?:forwarded|tandem)-/;

/** Must not come after the body: framing, routing, identity. */
const NOT_IN_TRAILERS = /^(?:content-|host$|cookie$|set-cookie$|authorization$|cache-control$|te$)/;

export type Framing =
  | { readonly kind: 'none' }
  | { readonly kind: 'length'; readonly bytes: number }
  | { readonly kind: 'chunked' };

export interface RequestContext {
  readonly requestId: string;
  readonly hostHeader: string;
  readonly origin: ClientOrigin;
  readonly framing: Framing;
  readonly startedWallMs: number;
}

export function requestHeaders(raw: readonly string[], context: RequestContext): string[] {
  const { origin, framing } = context;
  const headers = ['Host', context.hostHeader];
  const hops = hopsOf(raw);
  for (const [name, value, key] of entriesOf(raw))
    if (!hops.has(key) && !isOurs(key) && !FRAMED.has(key)) headers.push(name, value);
  headers.push(
    ...['X-Forwarded-For', origin.forwardedFor],
    ...['X-Forwarded-Proto', origin.proto, 'X-Forwarded-Protocol', origin.proto],
    ...['X-Forwarded-Host', origin.host, 'X-Forwarded-Port', origin.port],
    ...['X-Request-Id', context.requestId],
    ...['X-Request-Start', `t=${context.startedWallMs}`],
  );
  if (framing.kind === 'length') headers.push('Content-Length', String(framing.bytes));
  if (framing.kind === 'chunked') headers.push('Transfer-Encoding', 'chunked');
  return headers;
}

const FRAMED: ReadonlySet<string> = new Set(['host', 'content-length', 'expect']);

export function responseHeaders(raw: readonly string[], requestId: string): string[] {
  const hops = hopsOf(raw);
  const entries = [...entriesOf(raw)];
  // A length beside a transfer coding says nothing (RFC 9112 section 6.3).
  const isChunked = entries.some(([, , key]) => key === 'transfer-encoding');
  const headers: string[] = [];
  for (const [name, value, key] of entries)
    if (!hops.has(key) && !(isChunked && key === 'content-length')) headers.push(name, value);
  if (!entries.some(([, , key]) => key === 'x-request-id')) headers.push('X-Request-Id', requestId);
  return headers;
}

/** What may follow a chunked body, as pairs. */
export function trailersOf(raw: readonly string[]): [string, string][] {
  const trailers: [string, string][] = [];
  for (const [name, value, key] of entriesOf(raw))
    if (!HOP_BY_HOP.has(key) && !isOurs(key) && !NOT_IN_TRAILERS.test(key))
      trailers.push([name, value]);
  return trailers;
}

/** The fixed ones and those that Connection names. */
function hopsOf(raw: readonly string[]): ReadonlySet<string> {
  let hops = HOP_BY_HOP;
  for (const [, value, key] of entriesOf(raw)) {
    if (key !== 'connection') continue;
    const named = value.toLowerCase().split(',');
    hops = new Set([...hops, ...named.map((token) => token.trim())]);
  }
  return hops;
}

/**
 * A name with `_` reads in WSGI as the same name with `-`: `X_Forwarded_Proto` would pass for ours.
 * Nginx drops them too.
 */
const isOurs = (key: string): boolean =>
  OURS.has(key) || OURS_PREFIX.test(key) || key.includes('_');

function* entriesOf(raw: readonly string[]): Generator<[name: string, value: string, key: string]> {
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = raw[index] ?? '';
    yield [name, raw[index + 1] ?? '', name.toLowerCase()];
  }
}
