// The form of the smuggling corpus: bytes of a client, and what must come of them. After the bytes of
// each case the client sends one plain request, the probe, on the same connection: it shows whether
// client, balancer and app still agree where a request begins.

export interface ExpectedRequest {
  /** GET, unless said. */
  readonly method?: string;
  /** `/`, unless said. */
  readonly target?: string;
  /** By name in lower case; `undefined`: must not be there. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly body?: string;
  /** All of them. */
  readonly trailers?: Readonly<Record<string, string>>;
}

export type Outcome =
  /** 4xx, the connection closed; the app saw the requests before it and nothing else. */
  | { readonly kind: 'refused'; readonly after: readonly ExpectedRequest[] }
  /** A body that cannot be: 4xx or a cut; the app never sees the request whole. */
  | { readonly kind: 'broken' }
  /** Answered by us with 4xx; the connection may go on. */
  | { readonly kind: 'turned away' }
  /** The app sees exactly these, then the probe. */
  | { readonly kind: 'passed'; readonly requests: readonly ExpectedRequest[] }
  /** The app sees exactly these; the connection is closed without a word on what follows. */
  | { readonly kind: 'closed'; readonly requests: readonly ExpectedRequest[] };

export interface SmugglingCase {
  readonly name: string;
  /** Latin1. */
  readonly bytes: string;
  /** More than one where the specification and we leave the choice. */
  readonly outcomes: readonly Outcome[];
  /** The client says no more and closes its side: for requests that are never whole. */
  readonly endsEarly?: boolean;
}

export interface SmugglingFamily {
  readonly name: string;
  readonly cases: readonly SmugglingCase[];
}

export const HOST = 'Host: a.test\r\n';
export const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: a.test\r\n\r\n';
export const PROBE = 'GET /probe HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n';

export const REFUSED: Outcome = { kind: 'refused', after: [] };
export const BROKEN: Outcome = { kind: 'broken' };
export const TURNED_AWAY: Outcome = { kind: 'turned away' };
export const passed = (...requests: ExpectedRequest[]): Outcome => ({ kind: 'passed', requests });

export const refuse = (name: string, bytes: string): SmugglingCase => ({
  ...{ name, bytes, outcomes: [REFUSED] },
});

export const breaks = (name: string, bytes: string): SmugglingCase => ({
  ...{ name, bytes, outcomes: [REFUSED, BROKEN] },
});

export const pass = (
  name: string,
  bytes: string,
  ...requests: ExpectedRequest[]
): SmugglingCase => ({ name, bytes, outcomes: [passed(...requests)] });

/** Refused or passed: both are right. */
export const either = (
  name: string,
  bytes: string,
  ...requests: ExpectedRequest[]
): SmugglingCase => ({
  name,
  bytes,
  outcomes: [REFUSED, BROKEN, TURNED_AWAY, passed(...requests)],
});

/** A POST to `/` with these header lines, each with its CRLF. */
export const post = (headers: string, body = ''): string =>
  `POST / HTTP/1.1\r\n${HOST}${headers}\r\n${body}`;

export const get = (headers: string): string => `GET / HTTP/1.1\r\n${HOST}${headers}\r\n`;

export const chunked = (body: string): string => post('Transfer-Encoding: chunked\r\n', body);
