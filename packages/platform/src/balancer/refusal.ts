// Answers of the balancer itself: small pages for people, JSON for programs, the request id in both.
import { clock } from './clock.ts';
import { httpDate } from './http-date.ts';

export interface Refusal {
  readonly status: number;
  readonly title: string;
  /** One sentence; may quote the request. */
  readonly detail: string;
  readonly retryAfterS?: number;
  /** Name, value ... beyond those every page has. */
  readonly headers?: readonly string[];
  /** A page in place of ours, for who does not prefer JSON. */
  readonly html?: string;
  /** In place of any page. */
  readonly plainText?: string;
}

export interface RefusalAnswer {
  readonly headers: string[];
  readonly body: Buffer;
}

/** To a certificate authority that looks whether a host is ours. */
export const challengeAnswer = (plainText: string): Refusal => ({
  status: 200,
  title: 'Challenge',
  detail: '',
  plainText,
});

export const unknownHost = (host: string | undefined): Refusal => ({
  status: 404,
  title: 'No site here',
  detail:
    host === undefined
      ? 'The request names no host.'
      : `No site answers at ${host} on this server.`,
});

export const unknownPath = (host: string, path: string): Refusal => ({
  status: 404,
  title: 'Nothing here',
  detail: `${host} has nothing at ${path.slice(0, 200)}.`,
});

export const notReady: Refusal = {
  status: 503,
  title: 'Starting',
  detail: 'The server is starting and does not know its sites yet.',
  retryAfterS: 2,
};

export const unavailable = (reason: string): Refusal => ({
  status: 503,
  title: 'Temporarily unavailable',
  detail: reason,
  retryAfterS: 5,
});

export const heldTooLong: Refusal = {
  status: 503,
  title: 'Back in a moment',
  detail: 'The site is being updated. Please try again shortly.',
  retryAfterS: 10,
};

export const tooManyWaiting: Refusal = {
  status: 503,
  title: 'Busy',
  detail: 'Too many requests wait for this site. Please try again shortly.',
  retryAfterS: 5,
};

export const badGateway = (detail: string): Refusal => ({
  status: 502,
  title: 'The site did not answer',
  detail,
});

export const gatewayTimeout: Refusal = {
  status: 504,
  title: 'The site took too long',
  detail: 'The site accepted the request but did not answer in time.',
};

export const badRequest = (detail: string): Refusal => ({
  status: 400,
  title: 'Bad request',
  detail,
});

export const headTooLarge: Refusal = {
  status: 431,
  title: 'Request head too large',
  detail: 'The headers of the request are over the limit.',
};

export const targetTooLong: Refusal = {
  status: 414,
  title: 'Address too long',
  detail: 'The address of the request is over the limit.',
};

export const headTooSlow: Refusal = {
  status: 408,
  title: 'Request timed out',
  detail: 'The head of the request did not arrive in time.',
};

export const bodyTooSlow: Refusal = {
  status: 408,
  title: 'Request timed out',
  detail: 'The body of the request did not arrive in time.',
};

export const bodyTooLarge: Refusal = {
  status: 413,
  title: 'Request too large',
  detail: 'The body of the request is over the limit of this site.',
};

export const methodNotAllowed = (allow: string): Refusal => ({
  status: 405,
  title: 'Method not allowed',
  detail: `This address answers ${allow} only.`,
  headers: ['Allow', allow],
});

/** A browser takes a connection of its own then and asks again (RFC 9110 section 15.5.20). */
export const misdirected: Refusal = {
  status: 421,
  title: 'Misdirected request',
  detail: 'This connection was opened for a host with another certificate.',
};

/** To OPTIONS and TRACE that were to go no further (RFC 9110 section 7.6.2). */
export const lastForward: Refusal = {
  status: 405,
  title: 'Method not allowed',
  detail: 'The request was to go no further than this server, which has nothing to tell by it.',
  headers: ['Allow', 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS'],
};

/** Head and body of a refusal, in the form that `accept` prefers. */
export function renderRefusal(
  refusal: Refusal,
  { accept, requestId }: { accept: string | undefined; requestId: string },
): RefusalAnswer {
  const { type, text } = renderPage(refusal, accept, requestId);
  const body = Buffer.from(text);
  const headers = [
    ...['Content-Type', type],
    ...['Content-Length', String(body.length)],
    ...['Date', httpDate(clock.wallMs), 'Cache-Control', 'no-store', 'X-Request-Id', requestId],
    ...(refusal.retryAfterS === undefined ? [] : ['Retry-After', String(refusal.retryAfterS)]),
    ...(refusal.headers ?? []),
  ];
  return { headers, body };
}

function renderPage(
  refusal: Refusal,
  accept: string | undefined,
  requestId: string,
): { type: string; text: string } {
  if (refusal.plainText !== undefined) return { type: 'text/plain', text: refusal.plainText };
  if (prefersJson(accept))
    return { type: 'application/json', text: renderJson(refusal, requestId) };
  const text = refusal.html ?? renderHtml(refusal, requestId);
  return { type: 'text/html; charset=utf-8', text };
}

function prefersJson(accept = ''): boolean {
  const json = accept.search(/\bapplication\/(?:[a-z.-]+\+)?json\b/i);
  const html = accept.search(/\btext\/html\b/i);
  return json >= 0 && (html < 0 || json < html);
}

function renderJson({ status, title, detail }: Refusal, requestId: string): string {
  return `${JSON.stringify({ status, title, detail, requestId })}\n`;
}

function renderHtml({ status, title, detail }: Refusal, requestId: string): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${status} ${escapeHtml(title)}</title>
<style>
:root{color-scheme:light dark}
body{font:16px/1.5 system-ui,sans-serif;display:grid;place-content:center;min-height:90vh;margin:0;padding:2rem}
main{max-width:32rem}h1{font-size:1.5rem;margin:0}p{margin:.75rem 0}
small{opacity:.6;font-family:ui-monospace,monospace}
</style></head>
<body><main><small>${status}</small><h1>${escapeHtml(title)}</h1><p>${escapeHtml(detail)}</p>
<small>request ${escapeHtml(requestId)}</small></main></body></html>
`;
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

const escapeHtml = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => ESCAPES[character] ?? character);
