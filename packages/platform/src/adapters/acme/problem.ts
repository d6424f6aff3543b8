// Problem documents (RFC 7807, types of RFC 8555 section 6.7) as errors that say what to do.
import type { IncomingHttpHeaders } from 'node:http';
import { TandemError } from '@tandem/protocol';
import { RateLimited } from '../../ports/certificate-authority.ts';

export interface Problem {
  readonly status: number;
  /** Without the URN in front: `rateLimited`, `malformed`, `dns` ... */
  readonly type: string;
  readonly detail: string;
  /** Undefined when the answer did not say. */
  readonly retryAfterMs: number | undefined;
}

const URN = 'urn:ietf:params:acme:error:';
const DETAIL_LENGTH_MAX = 1_000;
const UNSAID = 'no reason given';

const REFUSED_HINTS: Readonly<Record<string, string>> = {
  rejectedIdentifier: 'This authority gives no certificate for the name.',
  caa: 'A CAA record in the DNS of the domain names another certificate authority; change it.',
  externalAccountRequired: 'This authority wants an account made by hand; choose another one.',
  unsupportedContact: 'Change the contact address of the platform.',
  invalidContact: 'Change the contact address of the platform.',
};

const VALIDATION_HINTS: Readonly<Record<string, string>> = {
  dns: 'Look at the A, AAAA and CAA records of the domain; a wildcard needs its TXT record.',
  connection:
    'The authority must reach this machine on port 80 (or 443) under the name: look at firewalls, and at an AAAA record that leads elsewhere.',
  unauthorized:
    'Something else answered under the name: look for another address in the DNS, or a proxy in front.',
  tls: 'Something else answers on port 443 under the name.',
  incorrectResponse: 'Something else answered under the name: look for a proxy in front.',
  caa: 'A CAA record in the DNS of the domain names another certificate authority; change it.',
};

export function readProblem(status: number, text: string, headers: IncomingHttpHeaders): Problem {
  const body = parse(text);
  return {
    status,
    ...typeAndDetail(body),
    retryAfterMs: readRetryAfter(headers['retry-after'], Date.now()),
  };
}

export const isBadNonce = ({ type }: Problem): boolean => type === 'badNonce';

/** The key has no account there, or none any more. */
export function isNoAccount(error: unknown): boolean {
  return error instanceof TandemError && error.cause === 'accountDoesNotExist';
}

export function problemError(problem: Problem, url: string): TandemError {
  const { status, type, detail, retryAfterMs } = problem;
  const { host } = new URL(url);
  if (status === 429 || type === 'rateLimited' || (status === 503 && retryAfterMs !== undefined)) {
    return new RateLimited(`${host} wants us to wait: ${detail}`, retryAfterMs ?? 0, {
      where: url,
      hint: 'It is tried again when that time is over; nothing needs to be done.',
    });
  }
  if (status >= 500) return unreachable(url, new Error(`status ${status}: ${detail}`));
  return new TandemError('CERTIFICATE_REFUSED', `${host} refuses: ${detail}`, {
    where: url,
    hint: REFUSED_HINTS[type],
    cause: type,
  });
}

/** `error`: of the challenge that failed, as the authority tells it. */
export function validationError(host: string, error: unknown): TandemError {
  const { type, detail } = typeAndDetail(error);
  return new TandemError('DOMAIN_VALIDATION_FAILED', `${host} could not be validated: ${detail}`, {
    where: host,
    hint: VALIDATION_HINTS[type],
    cause: type,
  });
}

export function unreachable(url: string, cause: unknown): TandemError {
  const why = cause instanceof Error ? messageOf(cause) : String(cause);
  return new TandemError('CERTIFICATE_AUTHORITY_UNREACHABLE', `${url}: ${why}`, {
    where: url,
    hint: 'Certificates in use stay in use; it is tried again. Look at the network and the URL of the certificate authority.',
    cause,
  });
}

/** Several addresses were tried: the error of Node has no text of its own. */
function messageOf(error: Error): string {
  if (error instanceof AggregateError && error.message === '')
    return error.errors.map((one) => (one as Error).message).join('; ');
  return error.message;
}

/** Milliseconds from now; seconds or a date (RFC 9110 section 10.2.3). */
export function readRetryAfter(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined) return undefined;
  if (/^\d{1,10}$/.test(header)) return Number(header) * 1000;
  const atMs = Date.parse(header);
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - nowMs);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Text of a stranger: bounded, on one line, without what a terminal would obey. */
function typeAndDetail(body: unknown): { type: string; detail: string } {
  const { type, detail, subproblems } = fields(body);
  const parts = Array.isArray(subproblems) ? subproblems : [];
  const details = [detail, ...parts.map((one) => fields(one).detail)].filter(
    (one): one is string => typeof one === 'string' && one !== '',
  );
  const text = [...new Set(details)].join('; ').replaceAll(/[\p{Cc}\s]+/gu, ' ');
  return {
    type: typeof type === 'string' ? type.replace(URN, '') : '',
    detail: text.slice(0, DETAIL_LENGTH_MAX) || UNSAID,
  };
}

function fields(body: unknown): Record<string, unknown> {
  return typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {};
}
