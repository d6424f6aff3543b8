// Keeps certificates and ticket keys as the nexus has them. Without a nexus they stay as they are; a
// balancer that starts then shows those it kept.
import { LIMITS } from '../../domain/limits.ts';
import {
  CERTIFICATES_TOPIC,
  type CertificatesSnapshot,
  type CertificatesUpdate,
} from '../../ports/certificate-messages.ts';
import type { TransportClient } from '../../ports/transport.ts';
import { CertificateFile } from './certificate-file.ts';
import type { CertificateShelf } from './certificate-shelf.ts';
import { KeptCertificates } from './kept-certificates.ts';

export interface CertificateFeedOptions {
  /** Its schemas must include CERTIFICATE_MESSAGES. */
  readonly transport: TransportClient;
  readonly shelf: CertificateShelf;
  readonly path: string;
  readonly log: (line: string) => void;
}

const REQUEST_TIMEOUT_MS = 1_500;
const REFRESH_PAUSE_MS = 250;

export class CertificateFeed {
  readonly #options: CertificateFeedOptions;
  readonly #kept: KeptCertificates;
  readonly #file: CertificateFile;
  readonly #stopping = new AbortController();
  #refreshing: Promise<void> | undefined;
  #refreshAgain = false;

  constructor(options: CertificateFeedOptions) {
    const { shelf, path, log } = options;
    this.#options = options;
    this.#kept = new KeptCertificates(shelf);
    this.#file = new CertificateFile({ path, log, take: () => this.#kept.state() });
  }

  /** Resolves with the certificates of the nexus if it answers in time, else with those it kept. */
  async start(): Promise<void> {
    const { transport, log } = this.#options;
    transport.subscribe(
      CERTIFICATES_TOPIC,
      (message) => this.#takeUpdate(message as unknown as CertificatesUpdate),
      () => this.#refresh(),
    );
    if (await this.#fetch(LIMITS.balancer.snapshotWaitMs)) return;
    const kept = await this.#file.load();
    // One that came in the meantime is newer.
    if (kept && this.#kept.isEmpty) {
      log(`no nexus answers; showing the ${kept.certificates.length} certificates of before`);
      this.#kept.applySnapshot(kept);
    }
    this.#refresh();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#file.flush();
  }

  #takeUpdate({ run, epoch, certificate, removedHost, ticketKey }: CertificatesUpdate): void {
    const change = { ...(certificate && { certificate }), ...(removedHost && { removedHost }) };
    if (!this.#kept.applyUpdate({ run, epoch }, change)) return this.#refresh();
    if (ticketKey) this.#options.shelf.setTicketKeys(Buffer.from(ticketKey));
    this.#file.changed();
  }

  /** Takes snapshots until one arrives; a gap found meanwhile asks for one more. */
  #refresh(): void {
    this.#refreshAgain = true;
    this.#refreshing ??= this.#fetchUntilDone().finally(() => {
      this.#refreshing = undefined;
    });
  }

  async #fetchUntilDone(): Promise<void> {
    while (this.#refreshAgain && !this.#stopping.signal.aborted) {
      this.#refreshAgain = false;
      if (await this.#fetch(REQUEST_TIMEOUT_MS)) continue;
      this.#refreshAgain = true;
      await new Promise((resolve) => setTimeout(resolve, REFRESH_PAUSE_MS));
    }
  }

  async #fetch(timeoutMs: number): Promise<boolean> {
    const answer = await this.#options.transport
      .request({ type: 'certificates.get' }, { timeoutMs })
      .catch(() => undefined);
    if (!answer) return false;
    const snapshot = answer as unknown as CertificatesSnapshot;
    if (!this.#kept.applySnapshot(snapshot)) return true;
    this.#options.shelf.setTicketKeys(Buffer.from(snapshot.ticketKey));
    this.#file.changed();
    return true;
  }
}
