// The certificates this balancer shows, as the nexus counts them. Says what changed, so that those
// that did not keep their contexts.
import type { CertificateMessage } from '../../ports/certificate-messages.ts';
import type { CertificateShelf } from './certificate-shelf.ts';

/** Of a nexus: which process of it, and how many changes that has seen. */
export interface Version {
  readonly run: string;
  readonly epoch: number;
}

export interface KeptState extends Version {
  readonly certificates: readonly CertificateMessage[];
}

export interface CertificateChange {
  readonly certificate?: CertificateMessage;
  readonly removedHost?: string;
}

export class KeptCertificates {
  readonly #shelf: CertificateShelf;
  readonly #byHost = new Map<string, CertificateMessage>();
  #version: Version | undefined;

  constructor(shelf: CertificateShelf) {
    this.#shelf = shelf;
  }

  get isEmpty(): boolean {
    return this.#version === undefined;
  }

  state(): KeptState {
    const { run, epoch } = this.#version ?? { run: '', epoch: 0 };
    return { run, epoch, certificates: [...this.#byHost.values()] };
  }

  /** False: not the next one of the run that is known, take a snapshot. */
  applyUpdate(version: Version, { certificate, removedHost }: CertificateChange): boolean {
    const known = this.#version;
    if (known?.run !== version.run || version.epoch > known.epoch + 1) return false;
    if (version.epoch <= known.epoch) return true;
    this.#version = version;
    if (certificate) this.#put(certificate);
    if (removedHost !== undefined) this.#remove(removedHost);
    return true;
  }

  /** An older one of the same run is ignored: answers and updates may overtake each other. */
  applySnapshot({ run, epoch, certificates }: KeptState): boolean {
    if (this.#version?.run === run && epoch < this.#version.epoch) return false;
    this.#version = { run, epoch };
    const named = new Set(certificates.map(({ host }) => host));
    for (const host of [...this.#byHost.keys()]) if (!named.has(host)) this.#remove(host);
    for (const certificate of certificates) this.#put(certificate);
    return true;
  }

  #put(certificate: CertificateMessage): void {
    const { host, names, chainPem, privateKeyPem, isFallback } = certificate;
    const known = this.#byHost.get(host);
    this.#byHost.set(host, certificate);
    if (known && isSame(known, certificate)) return;
    if (known && known.names.join() !== names.join()) this.#shelf.remove(known.names);
    this.#shelf.put({ hosts: names, certificatePem: chainPem, keyPem: privateKeyPem, isFallback });
  }

  #remove(host: string): void {
    const known = this.#byHost.get(host);
    this.#byHost.delete(host);
    if (known) this.#shelf.remove(known.names);
  }
}

const isSame = (one: CertificateMessage, other: CertificateMessage): boolean =>
  one.chainPem === other.chainPem &&
  one.privateKeyPem === other.privateKeyPem &&
  one.isFallback === other.isFallback &&
  one.names.join() === other.names.join();
