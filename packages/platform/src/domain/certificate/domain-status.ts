// What people are told of a domain's certificate.
import type { Validity } from './renewal.ts';

export type CertificateSource = 'acme' | 'imported' | 'self-signed';

/** An error as it is kept: its code may be of another version. */
export interface KeptError {
  readonly code: string;
  readonly message: string;
  readonly where?: string | undefined;
  readonly hint?: string | undefined;
  readonly log?: string | undefined;
}

/** What is known of the attempts to get a certificate; empty when the last one succeeded. */
export interface Attempts {
  readonly failures: number;
  readonly failingSinceMs?: number | undefined;
  readonly nextAtMs?: number | undefined;
  readonly error?: KeptError | undefined;
}

export interface DomainFacts {
  readonly certificate?: Validity & { readonly source: CertificateSource };
  /** Whether a certificate authority is asked for it at all. */
  readonly isOrdered: boolean;
  readonly isOrdering: boolean;
  readonly attempts: Attempts;
  readonly nowMs: number;
}

export interface DomainStatus {
  /**
   * `pending`: none yet, one is coming. `valid`. `renewing`: valid, a newer one is being ordered.
   * `failing`: the last order failed; one in use goes on being used. `expired`. `none`: signed by
   * ourselves, and nobody else is asked.
   */
  readonly state: 'pending' | 'valid' | 'renewing' | 'failing' | 'expired' | 'none';
  readonly source?: CertificateSource;
  readonly validUntilMs?: number;
  readonly failingSinceMs?: number;
  readonly nextAttemptMs?: number;
  readonly error?: KeptError;
}

export function domainStatus(facts: DomainFacts): DomainStatus {
  const { certificate, attempts } = facts;
  const { failingSinceMs, nextAtMs, error } = attempts;
  return {
    state: stateOf(facts),
    ...(certificate && { source: certificate.source, validUntilMs: certificate.notAfterMs }),
    ...(attempts.failures > 0 && {
      ...(failingSinceMs !== undefined && { failingSinceMs }),
      ...(nextAtMs !== undefined && { nextAttemptMs: nextAtMs }),
      ...(error && { error }),
    }),
  };
}

function stateOf({
  certificate,
  isOrdered,
  isOrdering,
  attempts,
  nowMs,
}: DomainFacts): DomainStatus['state'] {
  const own = certificate?.source === 'self-signed' ? undefined : certificate;
  if (own && own.notAfterMs <= nowMs) return 'expired';
  if (isOrdering) return own ? 'renewing' : 'pending';
  if (attempts.failures > 0) return 'failing';
  if (own) return 'valid';
  return isOrdered ? 'pending' : 'none';
}
