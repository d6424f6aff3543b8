// Does what is due, some orders at a time, and sleeps until the next thing is. Decisions come from the
// documents alone, so whoever takes over goes on where it was.
import { toTandemError } from '@tandem/protocol';
import { retryDelayMs } from '../../domain/certificate/renewal.ts';
import type { LIMITS } from '../../domain/limits.ts';
import type { Bell } from '../../lib/bell.ts';
import { RateLimited, type SelfSign } from '../../ports/certificate-authority.ts';
import type { Clock } from '../../ports/clock.ts';
import type { NameResolver } from '../../ports/name-resolver.ts';
import type { CertificateDocument } from '../documents/schemas.ts';
import type { CertificateDocuments, FreshCertificate } from './certificate-documents.ts';
import { isRenewalDue, validityOf, type CertificateRules } from './certificate-rules.ts';
import { obtainCertificate, type AuthorityAccess } from './obtain-certificate.ts';

export type CertificateLimits = { readonly [Key in keyof typeof LIMITS.certificates]: number };

export interface RenewalOptions {
  readonly documents: CertificateDocuments;
  readonly rules: CertificateRules;
  /** Rung when a document changes. */
  readonly news: Bell;
  readonly clock: Clock;
  readonly selfSign: SelfSign;
  readonly resolver: NameResolver;
  readonly access: AuthorityAccess | undefined;
  /** 0 up to 1. */
  readonly random: () => number;
  readonly limits: CertificateLimits;
  readonly report: (text: string, error?: unknown) => void;
}

/** So that the clocks of visitors may be behind ours. */
const BACKDATED_MS = 3_600_000;

export class RenewalLoop {
  readonly #options: RenewalOptions;
  /** Under way, by host. */
  readonly #orders = new Map<string, { abort: AbortController; done: Promise<void> }>();

  constructor(options: RenewalOptions) {
    this.#options = options;
  }

  isOrdering(host: string): boolean {
    return this.#orders.has(host);
  }

  giveUp(host: string): void {
    this.#orders.get(host)?.abort.abort(new Error(`${host} is not kept any more`));
  }

  /** Until `signal` fires; then nothing is under way any more. */
  async run(signal: AbortSignal): Promise<void> {
    const { news, clock, limits } = this.#options;
    try {
      while (!signal.aborted) {
        const heard = news.rings;
        const nextMs = await this.#startDue(signal);
        const waitMs = Math.min(nextMs - clock.nowMs(), limits.lookIntervalMsMax);
        await news.wait(heard, Math.max(waitMs, 0), signal);
      }
    } finally {
      const under = [...this.#orders.values()];
      for (const { abort } of under) abort.abort(signal.reason);
      await Promise.all(under.map(({ done }) => done));
    }
  }

  async sign(host: string): Promise<FreshCertificate> {
    const { clock, selfSign, rules, limits } = this.#options;
    const nowMs = clock.nowMs();
    const pair = await selfSign({
      names: rules.namesFor(host),
      notBeforeMs: nowMs - BACKDATED_MS,
      notAfterMs: nowMs + limits.selfSignedMs,
    });
    return { pair, source: 'self-signed', obtainedAtMs: nowMs };
  }

  /** The time at which the next one is due. One that ends rings for those that found no place. */
  async #startDue(signal: AbortSignal): Promise<number> {
    const { documents, rules, clock, limits } = this.#options;
    const nowMs = clock.nowMs();
    let nextMs = Infinity;
    for (const document of await documents.list()) {
      const dueMs = rules.dueAtMs(document);
      if (dueMs === undefined || this.#orders.has(document.host)) continue;
      if (dueMs > nowMs) nextMs = Math.min(nextMs, dueMs);
      else if (this.#orders.size < limits.ordersAtOnceMax) this.#start(document, signal);
    }
    return nextMs;
  }

  #start(document: CertificateDocument, signal: AbortSignal): void {
    const { host } = document;
    const { news, report } = this.#options;
    const abort = new AbortController();
    const either = AbortSignal.any([signal, abort.signal]);
    const done = this.#renew(document, either)
      .catch((error: unknown) => {
        if (!either.aborted) report(`the certificate of ${host} could not be kept`, error);
      })
      .finally(() => {
        this.#orders.delete(host);
        news.ring();
      });
    this.#orders.set(host, { abort, done });
  }

  async #renew(document: CertificateDocument, signal: AbortSignal): Promise<void> {
    const { documents, rules, clock } = this.#options;
    const { host, source, attempts } = document;
    const nowMs = clock.nowMs();
    if (source === 'self-signed' && isRenewalDue(document, nowMs)) {
      const fresh = await this.sign(host);
      await documents.replace(host, fresh, (before) => before.source === 'self-signed');
    }
    if (!rules.isOrdered(document) || (attempts.nextAtMs ?? 0) > nowMs) return;
    try {
      const fresh = await this.#obtain(host, signal);
      // One that was brought meanwhile is what people want.
      await documents.replace(host, fresh, (before) => before.source !== 'imported');
    } catch (error) {
      signal.throwIfAborted();
      await this.#noteFailure(host, error);
    }
  }

  async #obtain(host: string, signal: AbortSignal): Promise<FreshCertificate> {
    const { documents, rules, clock, resolver, access } = this.#options;
    if (!access) throw new TypeError('there is no authority to ask');
    const pair = await obtainCertificate({
      ...access,
      resolver,
      accountKeyPem: await documents.accountKey(access.authority.id),
      names: rules.namesFor(host),
      nowMs: () => clock.nowMs(),
      signal,
    });
    return { pair, source: 'acme', obtainedAtMs: clock.nowMs() };
  }

  async #noteFailure(host: string, thrown: unknown): Promise<void> {
    const { documents, clock, random, limits, report } = this.#options;
    const error = toTandemError(thrown);
    const nowMs = clock.nowMs();
    await documents.setAttempts(host, (before) => {
      const failures = before.attempts.failures + 1;
      const delayMs = retryDelayMs({
        failures,
        isDnsWait: error.code === 'DOMAIN_ELSEWHERE',
        ...(error instanceof RateLimited && { retryAfterMs: error.retryAfterMs }),
        ...(before.source === 'acme' && { validity: validityOf(before) }),
        jitter: random(),
        limits,
      });
      const failingSinceMs = before.attempts.failingSinceMs ?? nowMs;
      return { failures, failingSinceMs, nextAtMs: nowMs + delayMs, error: error.toBody() };
    });
    const defect = error.code === 'INTERNAL' ? error : undefined;
    report(`no certificate for ${host}: ${error.message}`, defect);
  }
}
