// Where certificates come from. Adapters: acme (RFC 8555), self-signed.
import { TandemError, type ErrorDetails } from '@tandem/protocol';
import type { CertificatePair } from '../domain/certificate/certificate-pair.ts';
import type { BalancerChallenge } from '../domain/route-table.ts';

export type ChallengeKind = Challenge['kind'];

/** What the certificate authority looks for to see that a name is ours. */
export type Challenge =
  /**
   * http-01: `http://HOST/.well-known/acme-challenge/TOKEN`, port 80, answers with `content` as text.
   * tls-alpn-01: TLS for HOST with the protocol `acme-tls/1` (ALPN_PROTOCOL) shows this certificate.
   */
  | BalancerChallenge
  /** TXT record `name` has `value`, beside others it may have. */
  | {
      readonly kind: 'dns-01';
      readonly host: string;
      readonly name: string;
      readonly value: string;
    };

export const ALPN_PROTOCOL = 'acme-tls/1';
export const HTTP_CHALLENGE_PATH = '/.well-known/acme-challenge/';

export interface ChallengeSolver {
  /** Those it can present, the one to use first. */
  readonly kinds: readonly ChallengeKind[];
  /** Resolves once whoever asks, and whichever balancer is asked, gets the answer. */
  present(challenge: Challenge, signal: AbortSignal): Promise<void>;
  /** Called once for each `present`, whatever became of it. */
  cleanup(challenge: Challenge): Promise<void>;
}

export interface CertificateOrder {
  /** PEM. The account is the one of this key, made on first use. */
  readonly accountKeyPem: string;
  /** The key that the certificate is for; PEM. */
  readonly privateKeyPem: string;
  /** Host names, `*.` in front of those that are wildcards. */
  readonly names: readonly [string, ...string[]];
  readonly solver: ChallengeSolver;
  readonly signal: AbortSignal;
}

/** Orders may run at the same time. None leaves a challenge behind that it presented. */
export interface CertificateAuthority {
  /** Names the authority and its account, for instance its URL. */
  readonly id: string;
  /**
   * The chain in PEM, the certificate first. Throws CERTIFICATE_AUTHORITY_UNREACHABLE,
   * CERTIFICATE_REFUSED, CERTIFICATE_RATE_LIMITED (a RateLimited), DOMAIN_VALIDATION_FAILED,
   * CHALLENGE_NOT_PRESENTED; the reason of `signal` when that fired.
   */
  order(order: CertificateOrder): Promise<string>;
}

export class RateLimited extends TandemError {
  /** From now on; 0 when the authority did not say. */
  readonly retryAfterMs: number;

  constructor(message: string, retryAfterMs: number, details: ErrorDetails = {}) {
    super('CERTIFICATE_RATE_LIMITED', message, details);
    this.retryAfterMs = retryAfterMs;
  }
}

export interface SelfSigning {
  readonly names: readonly [string, ...string[]];
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** A certificate that nobody vouches for: encryption for names that no authority knows. */
export type SelfSign = (request: SelfSigning) => Promise<CertificatePair>;
