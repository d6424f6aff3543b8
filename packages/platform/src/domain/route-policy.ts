// What a route asks for beyond being forwarded, and the rules its fields obey. The order in which the
// policies act is that of balancer/policy/compile-policy.ts.
import { parseAddressRange } from './address-range.ts';
import { parsePasswordHash } from './password-hash.ts';

export interface RoutePolicy {
  /** Addresses and ranges; the others get a 403. */
  readonly allow?: readonly string[];
  /** These get a 403, whatever `allow` says. */
  readonly deny?: readonly string[];
  readonly rateLimit?: RateLimitPolicy;
  readonly redirectToHttps?: HttpsPolicy;
  readonly maintenance?: MaintenancePolicy;
  readonly basicAuth?: BasicAuthPolicy;
  readonly limits?: LimitsPolicy;
  /** On the way to the app. */
  readonly requestHeaders?: HeaderChanges;
  /** Of the app's answers. */
  readonly responseHeaders?: HeaderChanges;
  readonly compression?: boolean;
}

/** For each client, in each worker. */
export interface RateLimitPolicy {
  readonly requestsPerS: number;
  /** As many may come at once after a pause; `requestsPerS` when absent. */
  readonly burst?: number;
}

export interface HttpsPolicy {
  /** Strict-Transport-Security on answers by HTTPS; absent: none. */
  readonly hstsMaxAgeS?: number;
  readonly hstsIncludesSubdomains?: boolean;
  /** Where HTTPS is; 443 when absent. */
  readonly port?: number;
}

export interface MaintenancePolicy {
  /** One paragraph on our page. */
  readonly text?: string;
  /** A page of its own, in place of ours. */
  readonly html?: string;
  readonly retryAfterS?: number;
  /** Addresses and ranges that get through. */
  readonly exempt?: readonly string[];
}

export interface BasicAuthPolicy {
  readonly realm?: string;
  /** Name -> hash, as domain/password-hash.ts spells it. */
  readonly users: Readonly<Record<string, string>>;
  /** Paths that ask for nobody: `/health`, or all below `/hooks/`. */
  readonly exemptPaths?: readonly string[];
  /** The app sees the Authorization field. */
  readonly passesHeader?: boolean;
}

export interface LimitsPolicy {
  readonly requestBodyBytesMax?: number;
  /** From the end of a request to the first byte of the answer. */
  readonly responseTimeoutMs?: number;
  /** Under way at a time, in each worker. */
  readonly requestsMax?: number;
  /** May wait for a place; the others get a 503. */
  readonly waitingMax?: number;
}

export interface HeaderChanges {
  /** In place of what is there. */
  readonly set?: Readonly<Record<string, string>>;
  /** Beside what is there. */
  readonly add?: Readonly<Record<string, string>>;
  readonly remove?: readonly string[];
}

/** Another group of upstreams that takes a share of the requests. */
export const STICKINESS = ['client', 'cookie'] as const;
export type Stickiness = (typeof STICKINESS)[number];

/** What a route says counts, key by key; the rest is that of its app. */
export function policyOf(
  app: RoutePolicy | undefined,
  route: RoutePolicy | undefined,
): RoutePolicy | undefined {
  if (app === undefined || route === undefined) return route ?? app;
  return { ...app, ...route };
}

// Complaints: what is needed instead of `text`, or undefined when it is right.

const TOKEN = /^[!#$%&'*+.^`|~0-9A-Za-z-]+$/;
/** Framing, what is for one hop, and what the balancer says itself. */
const UNTOUCHABLE: ReadonlySet<string> = new Set([
  ...['host', 'content-length', 'transfer-encoding', 'connection', 'expect', 'upgrade'],
  ...['keep-alive', 'proxy-authenticate', 'proxy-authorization', 'proxy-connection'],
  ...['http2-settings', 'te', 'trailer', 'x-request-id', 'date', 'max-forwards', 'forwarded'],
  ...['x-real-ip', 'x-request-start', 'x-scheme', 'x-url-scheme', 'front-end-https'],
]);
const HEADER_NAME_LENGTH_MAX = 128;
const HEADER_VALUE_LENGTH_MAX = 4_096;

export function headerNameComplaint(text: string): string | undefined {
  if (text.length > HEADER_NAME_LENGTH_MAX || !TOKEN.test(text))
    return 'a header name of letters, digits and - is needed';
  const name = text.toLowerCase();
  const isOurs = UNTOUCHABLE.has(name) || /^x-(?:forwarded|tandem)-/.test(name);
  return isOurs ? 'only the balancer says this header; it cannot be changed' : undefined;
}

/** Visible characters up to U+00FF, space and tab between them. */
export function headerValueComplaint(text: string): string | undefined {
  if (text.length > HEADER_VALUE_LENGTH_MAX)
    return `a value of at most ${HEADER_VALUE_LENGTH_MAX} characters is needed`;
  if (/[^\t\x20-\x7e\x80-\xff]/.test(text))
    return 'a value without line breaks, control characters and characters beyond U+00FF is needed';
  return text.trim() === text ? undefined : 'a value without space around it is needed';
}

export const addressRangeComplaint = (text: string): string | undefined =>
  parseAddressRange(text) ? undefined : 'an address or a range like 10.0.0.0/8 is needed';

export const passwordHashComplaint = (text: string): string | undefined =>
  parsePasswordHash(text)
    ? undefined
    : 'a hash of `tandem balancer --hash-password` is needed ($scrypt$ln=15,r=8,p=1$...)';

export const userNameComplaint = (text: string): string | undefined =>
  text !== '' && text.length <= 128 && !/[:\x00-\x1f\x7f]/.test(text)
    ? undefined
    : 'a user name without a colon is needed';

export const realmComplaint = (text: string): string | undefined =>
  /^[\x20\x21\x23-\x5b\x5d-\x7e]{1,100}$/.test(text)
    ? undefined
    : 'a realm of plain characters without " and \\ is needed';

export const exemptPathComplaint = (text: string): string | undefined =>
  text.startsWith('/') && isPlainPath(text)
    ? undefined
    : 'a path that begins with /, without //, .., %, ; and \\ is needed';

/**
 * Every reader understands it in the same way: nothing in it is empty, dotted, encoded or a parameter.
 * Only such a path may be spared a check, since others may lead an app elsewhere.
 */
export function isPlainPath(path: string): boolean {
  if (!path.startsWith('/') || /[%;\\]|\/\//.test(path)) return false;
  return !/\/\.{1,2}(?:\/|$)/.test(path);
}

/** `/health` is itself; `/hooks/` all below. */
export function isExemptPath(path: string, exempt: readonly string[]): boolean {
  if (exempt.length === 0 || !isPlainPath(path)) return false;
  return exempt.some((one) => (one.endsWith('/') ? path.startsWith(one) : path === one));
}
