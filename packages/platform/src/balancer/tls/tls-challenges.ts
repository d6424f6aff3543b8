// Puts up what certificate authorities look for in a TLS handshake, and takes down what is over.
import type { TlsChallenge } from '../router.ts';
import type { CertificateShelf } from './certificate-shelf.ts';

export class TlsChallenges {
  readonly #shelf: CertificateShelf;
  #hosts = new Set<string>();

  constructor(shelf: CertificateShelf) {
    this.#shelf = shelf;
  }

  /** All there are. */
  set(challenges: readonly TlsChallenge[]): void {
    const before = this.#hosts;
    this.#hosts = new Set(challenges.map(({ host }) => host));
    for (const host of before) if (!this.#hosts.has(host)) this.#shelf.clearChallenge(host);
    for (const { host, certificate } of challenges) {
      const { chainPem: certificatePem, privateKeyPem: keyPem } = certificate;
      this.#shelf.setChallenge(host, { certificatePem, keyPem });
    }
  }
}
