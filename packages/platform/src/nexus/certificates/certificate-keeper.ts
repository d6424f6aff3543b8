// Every host has a certificate at any time: one signed by ourselves at once, one of the authority as
// soon as it gives one, a newer one well before the end. What fails is tried again later, and what is
// in use stays in use. One nexus orders; all of them know.
import { TandemError } from '@tandem/protocol';
import {
  examinePair,
  type CertificateFacts,
  type CertificatePair,
} from '../../domain/certificate/certificate-pair.ts';
import type { DomainStatus } from '../../domain/certificate/domain-status.ts';
import { LIMITS } from '../../domain/limits.ts';
import { Bell } from '../../lib/bell.ts';
import type { SelfSign } from '../../ports/certificate-authority.ts';
import type { Clock } from '../../ports/clock.ts';
import type { NameResolver } from '../../ports/name-resolver.ts';
import type { Repository } from '../documents/repository.ts';
import type { CertificateDocument } from '../documents/schemas.ts';
import type { SecretBox } from '../secrets/secret-box.ts';
import { CertificateDocuments } from './certificate-documents.ts';
import {
  CertificateFeed,
  type CertificateChange,
  type ServedCertificate,
} from './certificate-feed.ts';
import { CertificateRules } from './certificate-rules.ts';
import type { AuthorityAccess } from './obtain-certificate.ts';
import { RenewalLoop, type CertificateLimits } from './renewal-loop.ts';
import { whileOwner } from './single-owner.ts';

export interface CertificateKeeperOptions {
  readonly repository: Repository;
  readonly secrets: SecretBox;
  readonly clock: Clock;
  readonly selfSign: SelfSign;
  readonly resolver: NameResolver;
  /** Absent: everything is signed by ourselves. */
  readonly access?: AuthorityAccess;
  /** Of the hosts of apps; the certificate for `*.SUFFIX` answers where no other one does. */
  readonly suffix: string;
  /** Of the lease: the node. */
  readonly holder: string;
  /** 0 up to 1. */
  readonly random: () => number;
  readonly report: (text: string, error?: unknown) => void;
  readonly limits?: Partial<CertificateLimits>;
}

export interface CertificateView extends DomainStatus {
  readonly host: string;
}

const LEASE = 'certificates';

export class CertificateKeeper {
  readonly #options: CertificateKeeperOptions;
  readonly #limits: CertificateLimits;
  readonly #documents: CertificateDocuments;
  readonly #rules: CertificateRules;
  readonly #feed: CertificateFeed;
  readonly #loop: RenewalLoop;
  readonly #news = new Bell();

  constructor(options: CertificateKeeperOptions) {
    const { repository, secrets, suffix, access, clock, report } = options;
    this.#options = options;
    this.#limits = { ...LIMITS.certificates, ...options.limits };
    this.#documents = new CertificateDocuments(repository, secrets);
    this.#rules = new CertificateRules({ suffix, access });
    this.#feed = new CertificateFeed({
      store: repository.store,
      clock,
      open: (document) => this.#served(document),
      onLook: () => this.#news.ring(),
      report,
    });
    this.#loop = new RenewalLoop({
      ...options,
      access,
      documents: this.#documents,
      rules: this.#rules,
      news: this.#news,
      limits: this.#limits,
    });
  }

  /** What is kept and how it stands; private keys are not in it. */
  async domains(): Promise<CertificateView[]> {
    return (await this.#documents.list()).map((document) => this.#view(document));
  }

  /**
   * From now on the host has a certificate. Called again, a failed order is tried again at once,
   * unless the authority asked us to wait.
   */
  async ensure(host: string): Promise<void> {
    if ((await this.#documents.get(host)) === undefined)
      await this.#documents.create(host, await this.#loop.sign(host));
    const nowMs = this.#options.clock.nowMs();
    await this.#documents.setAttempts(host, ({ attempts }) =>
      attempts.failures === 0 || attempts.error?.code === 'CERTIFICATE_RATE_LIMITED'
        ? attempts
        : { ...attempts, nextAtMs: nowMs },
    );
  }

  /** An order under way is given up; the certificate is forgotten, its key with it. */
  async remove(host: string): Promise<void> {
    this.#loop.giveUp(host);
    await this.#documents.delete(host);
  }

  /** Takes a certificate that somebody brought, for all of `hosts`; throws CERTIFICATE_INVALID. */
  async import(pair: CertificatePair, hosts: readonly string[]): Promise<CertificateFacts> {
    const nowMs = this.#options.clock.nowMs();
    const verdict = examinePair(pair, { hosts, nowMs });
    if ('problem' in verdict)
      throw new TandemError('CERTIFICATE_INVALID', verdict.problem, { hint: verdict.hint });
    const fresh = { pair, source: 'imported' as const, obtainedAtMs: nowMs };
    for (const host of hosts) {
      await this.#documents.create(host, fresh);
      await this.#documents.replace(host, fresh, () => true);
    }
    return verdict.facts;
  }

  /** Once, before `run`: then `certificates` and `isTrusted` know all there is. */
  async load(): Promise<void> {
    await this.#feed.load();
  }

  /** Whether browsers trust what is shown for it; it need not be kept by that name. */
  isTrusted(host: string): boolean {
    const certificate =
      this.#feed.of(host) ??
      (this.#rules.isUnderFallback(host) ? this.#feed.of(this.#rules.fallbackHost) : undefined);
    if (!certificate || certificate.source === 'self-signed') return false;
    return certificate.notAfterMs > this.#options.clock.nowMs();
  }

  /** With private keys: for balancers alone. Filled once `run` has begun. */
  certificates(): readonly ServedCertificate[] {
    return this.#feed.served;
  }

  /** What there is comes first, then every change; private keys are in it. Returns what ends it. */
  onCertificate(listener: (change: CertificateChange) => void): () => void {
    return this.#feed.subscribe(listener);
  }

  /** Keeps certificates until `signal` fires; then nothing of it is under way any more. */
  async run(signal: AbortSignal): Promise<void> {
    const { repository, clock, holder, report } = this.#options;
    const { store } = repository;
    const ownership = { store, clock, name: LEASE, holder, ttlMs: this.#limits.leaseMs, report };
    await Promise.all([
      this.#feed.run(signal),
      whileOwner(ownership, signal, async (owned) => {
        await this.ensure(this.#rules.fallbackHost);
        await this.#loop.run(owned);
      }),
    ]);
  }

  #view(document: CertificateDocument): CertificateView {
    const { host } = document;
    const isOrdering = this.#loop.isOrdering(host);
    const nowMs = this.#options.clock.nowMs();
    return { host, ...this.#rules.status(document, { isOrdering, nowMs }) };
  }

  #served(document: CertificateDocument): ServedCertificate {
    const { host, names, source, fingerprint, notAfterMs } = document;
    const isFallback = host === this.#rules.fallbackHost;
    const facts = { host, names, source, fingerprint, notAfterMs, isFallback };
    return { ...this.#documents.open(document), ...facts };
  }
}
