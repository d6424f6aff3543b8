// Tells of every change of a certificate, whichever nexus made it: follows the store, so nothing is
// lost that was written, and a listener that comes late is told what there is.
import { hasCode } from '@tandem/protocol';
import type { CertificatePair } from '../../domain/certificate/certificate-pair.ts';
import type { CertificateSource } from '../../domain/certificate/domain-status.ts';
import type { Clock } from '../../ports/clock.ts';
import type { StateStore } from '../../ports/state-store.ts';
import { KEYS } from '../documents/repository.ts';
import type { CertificateDocument } from '../documents/schemas.ts';

export interface ServedCertificate extends CertificatePair {
  readonly host: string;
  readonly notAfterMs: number;
  readonly names: readonly string[];
  readonly source: CertificateSource;
  readonly fingerprint: string;
  /** Answers clients that name no server, or one that nobody has. */
  readonly isFallback: boolean;
}

export type CertificateChange =
  | { readonly kind: 'set'; readonly certificate: ServedCertificate }
  | { readonly kind: 'removed'; readonly host: string };

export interface FeedOptions {
  readonly store: StateStore;
  readonly clock: Clock;
  readonly open: (document: CertificateDocument) => ServedCertificate;
  /** After every change of a document, also one that leaves the certificate as it is. */
  readonly onLook: () => void;
  readonly report: (text: string, error?: unknown) => void;
}

type Listener = (change: CertificateChange) => void;

const RETRY_DELAY_MS = 1_000;

export class CertificateFeed {
  readonly #options: FeedOptions;
  readonly #listeners = new Set<Listener>();
  /** By key in the store. */
  readonly #served = new Map<string, ServedCertificate>();

  constructor(options: FeedOptions) {
    this.#options = options;
  }

  get served(): ServedCertificate[] {
    return [...this.#served.values()];
  }

  of(host: string): ServedCertificate | undefined {
    return this.#served.get(KEYS.certificate(host));
  }

  /** What there is comes first. Returns what ends it. */
  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener);
    for (const certificate of this.#served.values()) listener({ kind: 'set', certificate });
    return () => this.#listeners.delete(listener);
  }

  /** Once, before `run`: then what is served is complete. */
  async load(): Promise<void> {
    await this.#list();
  }

  /** Until `signal` fires or the store is closed. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, report } = this.#options;
    while (!signal.aborted) {
      try {
        await this.#follow(signal);
        return;
      } catch (error) {
        if (signal.aborted) return;
        if (!hasCode(error, 'STORE_BEHIND')) report('certificates could not be followed', error);
        await clock.sleep(RETRY_DELAY_MS, signal).catch(() => undefined);
      }
    }
  }

  async #follow(signal: AbortSignal): Promise<void> {
    const { store, onLook } = this.#options;
    const revision = await this.#list();
    onLook();
    for await (const { key, value } of store.watch(KEYS.certificates, revision, signal)) {
      if (value === undefined) this.#remove(key);
      else this.#set(key, value as CertificateDocument);
      onLook();
    }
  }

  /** The revision that it is as of. */
  async #list(): Promise<number> {
    const { documents, revision } = await this.#options.store.list(KEYS.certificates);
    const present = new Set(documents.map(({ key }) => key));
    for (const key of this.#served.keys()) if (!present.has(key)) this.#remove(key);
    for (const { key, value } of documents) this.#set(key, value as CertificateDocument);
    return revision;
  }

  #set(key: string, document: CertificateDocument): void {
    if (this.#served.get(key)?.fingerprint === document.fingerprint) return;
    const certificate = this.#open(document);
    if (!certificate) return;
    this.#served.set(key, certificate);
    this.#tell({ kind: 'set', certificate });
  }

  /** One that cannot be opened must not keep the others from being served. */
  #open(document: CertificateDocument): ServedCertificate | undefined {
    try {
      return this.#options.open(document);
    } catch (error) {
      this.#options.report(`the certificate of ${document.host} cannot be used`, error);
      return undefined;
    }
  }

  #remove(key: string): void {
    const host = this.#served.get(key)?.host;
    this.#served.delete(key);
    if (host !== undefined) this.#tell({ kind: 'removed', host });
  }

  #tell(change: CertificateChange): void {
    for (const listener of this.#listeners) listener(change);
  }
}
