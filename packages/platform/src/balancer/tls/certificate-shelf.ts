// Stand-in for the shelf that the TLS listener brings.
import { createSecureContext, type SecureContext } from 'node:tls';

export interface ServedCertificate {
  readonly hosts: readonly string[];
  readonly certificatePem: string;
  readonly keyPem: string;
  readonly isFallback?: boolean;
}

export class CertificateShelf {
  readonly #contexts = new Map<string, SecureContext>();
  readonly #challenges = new Map<string, SecureContext>();
  ticketKeys: Buffer | undefined;

  readonly log: (line: string) => void;

  constructor({ log }: { log: (line: string) => void }) {
    this.log = log;
  }

  set(all: readonly ServedCertificate[]): void {
    this.#contexts.clear();
    for (const one of all) this.put(one);
  }

  put({ hosts, certificatePem, keyPem }: ServedCertificate): void {
    const context = createSecureContext({ cert: certificatePem, key: keyPem });
    for (const host of hosts) this.#contexts.set(host, context);
  }

  remove(hosts: readonly string[]): void {
    for (const host of hosts) this.#contexts.delete(host);
  }

  contextFor(serverName: string): SecureContext | undefined {
    return this.#contexts.get(serverName);
  }

  setTicketKeys(keys: Buffer): void {
    this.ticketKeys = keys;
  }

  setChallenge(host: string, pair: { certificatePem: string; keyPem: string }): void {
    const { certificatePem, keyPem } = pair;
    this.#challenges.set(host, createSecureContext({ cert: certificatePem, key: keyPem }));
  }

  clearChallenge(host: string): void {
    this.#challenges.delete(host);
  }
}
