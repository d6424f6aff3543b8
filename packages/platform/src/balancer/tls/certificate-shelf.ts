// The certificates of a worker: who is shown which, and the keys of the session tickets. A certificate
// is made ready for OpenSSL when a client first asks for it, and only so many are kept ready.
import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { SecureContext } from 'node:tls';
import { CertificateChoice } from '../../domain/certificate/certificate-choice.ts';
import { LIMITS } from '../../domain/limits.ts';

export interface ServedCertificate {
  /** Whom it is shown for; `*.example` stands for one label. */
  readonly hosts: readonly string[];
  /** With its chain. */
  readonly certificatePem: string;
  readonly keyPem: string;
  /** Also for clients that name no server, or one that nobody has. */
  readonly isFallback?: boolean;
}

/** Whoever listens with these certificates. */
export interface ShelfListener {
  onTicketKeys(keys: Buffer): void;
  /** `undefined`: there is none any more. */
  onFallback(certificate: ServedCertificate | undefined): void;
}

export interface CertificateShelfOptions {
  readonly log: (line: string) => void;
  readonly contextsMax?: number;
}

/** Beyond so many a whole set is not looked through in one turn of the loop, but one by one in use. */
const EXAMINED_AT_ONCE_MAX = 256;

export class CertificateShelf {
  ticketKeys: Buffer | undefined;
  readonly #log: (line: string) => void;
  readonly #contextsMax: number;
  readonly #listeners = new Set<ShelfListener>();
  /** By the hosts of a certificate. */
  #certificates = new Map<string, ServedCertificate>();
  #choice = new CertificateChoice<ServedCertificate>();
  /** The fallback that listeners know of. */
  #announced: ServedCertificate | undefined;
  /** Least recently used first. */
  readonly #contexts = new Map<ServedCertificate, SecureContext>();
  readonly #challenges = new Map<string, SecureContext>();

  constructor({ log, contextsMax = LIMITS.balancer.secureContextsMax }: CertificateShelfOptions) {
    this.#log = log;
    this.#contextsMax = contextsMax;
  }

  get fallback(): ServedCertificate | undefined {
    return this.#choice.fallback;
  }

  get readyCount(): number {
    return this.#contexts.size;
  }

  /** These and no others, from this turn of the loop on. One that is of no use is told and left out. */
  set(certificates: readonly ServedCertificate[]): void {
    const examinesAll = certificates.length <= EXAMINED_AT_ONCE_MAX;
    this.#certificates = new Map();
    this.#choice = new CertificateChoice();
    this.#contexts.clear();
    for (const certificate of certificates)
      if (!examinesAll || this.#isSound(certificate)) this.#place(certificate);
    this.#chooseFallback();
  }

  /** Takes the place of the one with the same hosts; unless it is of no use, which is told. */
  put(certificate: ServedCertificate): void {
    if (!this.#isSound(certificate)) return;
    this.#forget(idOf(certificate.hosts));
    this.#place(certificate);
    this.#chooseFallback();
  }

  /** The one that was put for just these hosts; those before it for one of them come back. */
  remove(hosts: readonly string[]): void {
    this.#forget(idOf(hosts));
    this.#chooseFallback();
  }

  /** Undefined when nothing may be shown to who asks for `serverName`. */
  contextFor(serverName: string | undefined): SecureContext | undefined {
    for (;;) {
      const certificate = this.#choice.choose(serverName);
      if (certificate === undefined) return undefined;
      const context = this.#contextOf(certificate);
      if (context !== undefined) return context;
      this.remove(certificate.hosts);
    }
  }

  /** Who was shown the certificate of one was shown that of the other. */
  showsSame(serverName: string, host: string): boolean {
    return this.#choice.choose(serverName) === this.#choice.choose(host);
  }

  /** 48 bytes, the same for every worker: then a session begun at one goes on at another. */
  setTicketKeys(keys: Buffer): void {
    this.ticketKeys = keys;
    for (const listener of this.#listeners) listener.onTicketKeys(keys);
  }

  /** What an authority is shown that asks for `acme-tls/1` (RFC 8737). */
  setChallenge(host: string, pair: Pick<ServedCertificate, 'certificatePem' | 'keyPem'>): void {
    try {
      this.#challenges.set(host.toLowerCase(), makeContext(pair));
    } catch (error) {
      this.#log(`the challenge for ${host} is of no use: ${reasonOf(error)}`);
    }
  }

  clearChallenge(host: string): void {
    this.#challenges.delete(host.toLowerCase());
  }

  challengeFor(host: string): SecureContext | undefined {
    return this.#challenges.get(host.toLowerCase());
  }

  /** Told of every change from now on; what is already here it asks for. */
  addListener(listener: ShelfListener): void {
    this.#listeners.add(listener);
  }

  removeListener(listener: ShelfListener): void {
    this.#listeners.delete(listener);
  }

  #place(certificate: ServedCertificate): void {
    const id = idOf(certificate.hosts);
    this.#certificates.set(id, certificate);
    this.#choice.set(id, certificate.hosts.map(normalized), certificate);
  }

  #forget(id: string): void {
    const certificate = this.#certificates.get(id);
    if (certificate === undefined) return;
    this.#certificates.delete(id);
    this.#choice.delete(id);
    this.#contexts.delete(certificate);
  }

  /** The one that came last. */
  #chooseFallback(): void {
    let fallback: ServedCertificate | undefined;
    for (const certificate of this.#certificates.values())
      if (certificate.isFallback === true) fallback = certificate;
    const isNew = fallback !== this.#announced;
    this.#choice.fallback = fallback;
    this.#announced = fallback;
    if (isNew) for (const listener of this.#listeners) listener.onFallback(fallback);
  }

  #contextOf(certificate: ServedCertificate): SecureContext | undefined {
    const known = this.#contexts.get(certificate);
    if (known !== undefined) {
      if (this.#contexts.size >= this.#contextsMax) {
        this.#contexts.delete(certificate);
        this.#contexts.set(certificate, known);
      }
      return known;
    }
    try {
      const context = makeContext(certificate);
      const [oldest] = this.#contexts.keys();
      if (oldest !== undefined && this.#contexts.size >= this.#contextsMax)
        this.#contexts.delete(oldest);
      this.#contexts.set(certificate, context);
      return context;
    } catch (error) {
      this.#complain(certificate, reasonOf(error));
      return undefined;
    }
  }

  #isSound(certificate: ServedCertificate): boolean {
    try {
      const leaf = new X509Certificate(certificate.certificatePem);
      if (leaf.checkPrivateKey(createPrivateKey(certificate.keyPem))) return true;
      this.#complain(certificate, 'the key does not belong to it');
    } catch (error) {
      this.#complain(certificate, reasonOf(error));
    }
    return false;
  }

  #complain({ hosts }: ServedCertificate, reason: string): void {
    this.#log(`the certificate for ${hosts.join(', ')} is left out: ${reason}`);
  }
}

/** Without `ca` every context would bring the authorities that clients are checked by; none are. */
function makeContext({
  certificatePem,
  keyPem,
}: Pick<ServedCertificate, 'certificatePem' | 'keyPem'>): SecureContext {
  // Whoever has a shelf and no TLS does not pay for it: loaded, it takes 6 MB.
  const { createSecureContext } = process.getBuiltinModule('node:tls');
  return createSecureContext({ cert: certificatePem, key: keyPem, ca: [] });
}

const normalized = (host: string): string => host.toLowerCase().replace(/\.$/, '');
const idOf = (hosts: readonly string[]): string => hosts.map(normalized).sort().join(' ');

/** The code alone: the text could quote what was read. */
const reasonOf = (error: unknown): string =>
  (error as NodeJS.ErrnoException).code ?? 'it cannot be read';
