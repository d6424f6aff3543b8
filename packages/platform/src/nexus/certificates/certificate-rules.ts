// The rules of domain/certificate for the documents of this platform: which names a host's certificate
// has, who signs it, when something is due for it.
import { domainStatus, type DomainStatus } from '../../domain/certificate/domain-status.ts';
import { dueAtMs, jitterOf, renewAtMs, type Validity } from '../../domain/certificate/renewal.ts';
import { isLocalHostname } from '../../domain/hostname.ts';
import type { CertificateDocument } from '../documents/schemas.ts';
import type { AuthorityAccess } from './obtain-certificate.ts';

export interface RulesOptions {
  /** Of the hosts of apps. */
  readonly suffix: string;
  /** Absent: everything is signed by ourselves. */
  readonly access: AuthorityAccess | undefined;
}

export class CertificateRules {
  readonly #options: RulesOptions;

  constructor(options: RulesOptions) {
    this.#options = options;
  }

  /** Its certificate answers where no other one does. */
  get fallbackHost(): string {
    return `*.${this.#options.suffix}`;
  }

  isUnderFallback(host: string): boolean {
    const { suffix } = this.#options;
    const label = host.indexOf('.');
    return host === suffix || (label > 0 && host.slice(label + 1) === suffix);
  }

  namesFor(host: string): readonly [string, ...string[]] {
    return host === this.fallbackHost ? [this.#options.suffix, host] : [host];
  }

  /** Whether the authority is asked: never for what is not the world's, or was brought by people. */
  isOrdered({ host, source }: Pick<CertificateDocument, 'host' | 'source'>): boolean {
    const { access } = this.#options;
    if (!access || source === 'imported' || isLocalHostname(host)) return false;
    return host !== this.fallbackHost || access.dnsSolver !== undefined;
  }

  dueAtMs(document: CertificateDocument): number | undefined {
    return dueAtMs({
      certificate: { source: document.source, ...validityOf(document) },
      isOrdered: this.isOrdered(document),
      nextAtMs: document.attempts.nextAtMs,
      jitter: jitterOf(document.fingerprint),
    });
  }

  status(document: CertificateDocument, now: { isOrdering: boolean; nowMs: number }): DomainStatus {
    const isOrdered = this.isOrdered(document);
    return domainStatus({
      certificate: document,
      isOrdered,
      isOrdering: isOrdered && now.isOrdering,
      attempts: document.attempts,
      nowMs: now.nowMs,
    });
  }
}

/** As it counts for renewals: from the day it came. */
export function validityOf(document: CertificateDocument): Validity {
  const { notBeforeMs, notAfterMs, obtainedAtMs } = document;
  return { notBeforeMs: Math.max(notBeforeMs, obtainedAtMs), notAfterMs };
}

export function isRenewalDue(document: CertificateDocument, nowMs: number): boolean {
  return renewAtMs(validityOf(document), jitterOf(document.fingerprint)) <= nowMs;
}
