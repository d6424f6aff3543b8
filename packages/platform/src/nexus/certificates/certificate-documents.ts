// Certificates and the account key in the store. Private keys are sealed under the place they lie at.
import { createHash, generateKeyPairSync } from 'node:crypto';
import {
  readCertificate,
  type CertificateFacts,
  type CertificatePair,
} from '../../domain/certificate/certificate-pair.ts';
import type { CertificateSource } from '../../domain/certificate/domain-status.ts';
import { KEYS, put, type Repository } from '../documents/repository.ts';
import type { CertificateAccountDocument, CertificateDocument } from '../documents/schemas.ts';
import type { SecretBox } from '../secrets/secret-box.ts';

export interface FreshCertificate {
  readonly pair: CertificatePair;
  readonly source: CertificateSource;
  readonly obtainedAtMs: number;
}

type Attempts = CertificateDocument['attempts'];

const NO_ATTEMPTS: Attempts = { failures: 0 };

export class CertificateDocuments {
  readonly #repository: Repository;
  readonly #secrets: SecretBox;

  constructor(repository: Repository, secrets: SecretBox) {
    this.#repository = repository;
    this.#secrets = secrets;
  }

  list(): Promise<CertificateDocument[]> {
    return this.#repository.list<CertificateDocument>(KEYS.certificates);
  }

  async get(host: string): Promise<CertificateDocument | undefined> {
    return (await this.#repository.get<CertificateDocument>(KEYS.certificate(host)))?.value;
  }

  /** The certificate with its key in the clear: for balancers, never for answers and logs. */
  open({ host, chainPem, privateKey }: CertificateDocument): CertificatePair {
    return { chainPem, privateKeyPem: this.#secrets.open(keyPath(host), privateKey) };
  }

  /** Keeps what is there already. */
  async create(host: string, fresh: FreshCertificate): Promise<void> {
    await this.#change(host, (before) => before ?? this.#document(host, fresh, NO_ATTEMPTS));
  }

  /**
   * `mayReplace` sees what is there at that moment; a host that is gone stays gone. Whether it was
   * replaced.
   */
  async replace(
    host: string,
    fresh: FreshCertificate,
    mayReplace: (before: CertificateDocument) => boolean,
  ): Promise<boolean> {
    return await this.#change(host, (before) => {
      if (!before || !mayReplace(before)) return before;
      // What we sign ourselves is no success of the authority's.
      const attempts = fresh.source === 'self-signed' ? before.attempts : NO_ATTEMPTS;
      return this.#document(host, fresh, attempts);
    });
  }

  async setAttempts(
    host: string,
    change: (before: CertificateDocument) => Attempts,
  ): Promise<void> {
    await this.#change(host, (before) => {
      if (!before) return undefined;
      const attempts = change(before);
      return attempts === before.attempts ? before : { ...before, attempts };
    });
  }

  async delete(host: string): Promise<void> {
    const key = KEYS.certificate(host);
    await this.#repository.store.transact([], [{ kind: 'delete', key }]);
  }

  /** One for each authority, made on first use and shared by all who order there. PEM. */
  async accountKey(authority: string): Promise<string> {
    const id = createHash('sha256').update(authority).digest('hex').slice(0, 16);
    const key = KEYS.certificateAccount(id);
    const path = `${key}/key`;
    const { key: sealed } = await this.#repository.update([key], (read) => {
      const known = read.get(key) as CertificateAccountDocument | undefined;
      if (known) return { writes: [], result: known };
      const value: CertificateAccountDocument = {
        schemaVersion: 1,
        authority,
        key: this.#secrets.seal(path, makeKey()),
      };
      return { writes: [put(key, value)], result: value };
    });
    return this.#secrets.open(path, sealed);
  }

  async #change(
    host: string,
    change: (before: CertificateDocument | undefined) => CertificateDocument | undefined,
  ): Promise<boolean> {
    const key = KEYS.certificate(host);
    return await this.#repository.update([key], (read) => {
      const before = read.get(key) as CertificateDocument | undefined;
      const after = change(before);
      const isChanged = after !== undefined && after !== before;
      return { writes: isChanged ? [put(key, after)] : [], result: isChanged };
    });
  }

  #document(host: string, fresh: FreshCertificate, attempts: Attempts): CertificateDocument {
    const { pair, source, obtainedAtMs } = fresh;
    const { names, fingerprint, notBeforeMs, notAfterMs }: CertificateFacts = readCertificate(
      pair.chainPem,
    );
    return {
      schemaVersion: 1,
      host,
      source,
      names: [...names],
      chainPem: pair.chainPem,
      privateKey: this.#secrets.seal(keyPath(host), pair.privateKeyPem),
      fingerprint,
      notBeforeMs,
      notAfterMs,
      obtainedAtMs,
      attempts,
    };
  }
}

/** ECDSA P-256, PKCS #8 in PEM. */
export function makeKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

const keyPath = (host: string): string => `${KEYS.certificate(host)}/private-key`;
