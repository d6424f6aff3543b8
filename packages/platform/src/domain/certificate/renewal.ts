// When a certificate is ordered again, and when a failed order is tried again. Decides only.
import type { LIMITS } from '../limits.ts';
import type { CertificateSource } from './domain-status.ts';

export interface Validity {
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

export type RetryLimits = Pick<
  { readonly [Key in keyof typeof LIMITS.certificates]: number },
  'retryDelayMsFirst' | 'retryDelayMsMax' | 'retryDnsDelayMsMax' | 'retryAfterMsMax'
>;

export interface FailedOrder {
  /** In a row, this one included. */
  readonly failures: number;
  /** The name does not lead here yet: only we are asked, so we may look often. */
  readonly isDnsWait: boolean;
  /** What the certificate authority asked for. */
  readonly retryAfterMs?: number;
  /** Of the certificate in use, when there is one. */
  readonly validity?: Validity;
  /** 0 up to 1. */
  readonly jitter: number;
  readonly limits: RetryLimits;
}

/** Renewals begin with this part of the lifetime left, as certificate authorities advise ... */
const REMAINING_PART = 1 / 3;
/** ... or by up to this part earlier, so that what was ordered together is not renewed together. */
const JITTER_PART = 1 / 12;
const BACKOFF_FACTOR = 4;
/** Of each delay. */
const RETRY_JITTER = 0.25;
/** In a lifetime there is room for this many tries at least, also in one of an hour. */
const TRIES_PER_LIFETIME = 20;

/** `jitter`: 0 up to 1, the same for the same certificate, so that a restart changes nothing. */
export function renewAtMs({ notBeforeMs, notAfterMs }: Validity, jitter: number): number {
  const lifetimeMs = Math.max(0, notAfterMs - notBeforeMs);
  return Math.round(notAfterMs - lifetimeMs * (REMAINING_PART + JITTER_PART * jitter));
}

export interface Keeping {
  readonly certificate: Validity & { readonly source: CertificateSource };
  /** Whether a certificate authority is asked for it. */
  readonly isOrdered: boolean;
  /** Not before, after a failure. */
  readonly nextAtMs?: number | undefined;
  readonly jitter: number;
}

/** When something is to be done for it: an order, or a signature of our own. Undefined: never. */
export function dueAtMs({
  certificate,
  isOrdered,
  nextAtMs = 0,
  jitter,
}: Keeping): number | undefined {
  const renewMs = renewAtMs(certificate, jitter);
  switch (certificate.source) {
    // Whoever brought it brings the next one.
    case 'imported':
      return undefined;
    case 'acme':
      return isOrdered ? Math.max(renewMs, nextAtMs) : undefined;
    case 'self-signed':
      return isOrdered ? Math.min(renewMs, nextAtMs) : renewMs;
  }
}

export function retryDelayMs(failed: FailedOrder): number {
  const { failures, isDnsWait, validity, jitter, limits } = failed;
  const growing = limits.retryDelayMsFirst * BACKOFF_FACTOR ** Math.min(failures - 1, 20);
  const lifetimeMs = validity ? validity.notAfterMs - validity.notBeforeMs : Infinity;
  const delayMs = Math.min(
    growing,
    isDnsWait ? limits.retryDnsDelayMsMax : limits.retryDelayMsMax,
    lifetimeMs / TRIES_PER_LIFETIME,
  );
  const own = delayMs * (1 - RETRY_JITTER * jitter);
  const asked = Math.min(failed.retryAfterMs ?? 0, limits.retryAfterMsMax);
  // Late, never early: who comes before the time named is made to wait longer.
  return Math.round(Math.max(own, asked * (1 + RETRY_JITTER * jitter * 0.2)));
}

/** A fraction that follows from the text alone (FNV-1a). */
export function jitterOf(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  // FNV leaves the high bits of short texts alike; one more round spreads them.
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d) >>> 0;
  return ((hash ^ (hash >>> 13)) >>> 0) / 2 ** 32;
}
