// Gives the balancers what TLS needs: every certificate as it is, every change, and one ticket key for
// all of them. Before it follows the certificates it refuses: half a set would take sites away.
import { randomBytes } from 'node:crypto';
import { TandemError } from '@tandem/protocol';
import { LIMITS } from '../../domain/limits.ts';
import {
  CERTIFICATES_TOPIC,
  type CertificateMessage,
  type CertificatesSnapshot,
  type CertificatesUpdate,
} from '../../ports/certificate-messages.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Message, TransportServer } from '../../ports/transport.ts';
import type { CertificateChange, ServedCertificate } from './certificate-feed.ts';
import type { CertificateKeeper } from './certificate-keeper.ts';

export interface CertificatePublisherOptions {
  /** Its schemas must include CERTIFICATE_MESSAGES. */
  readonly server: Pick<TransportServer, 'publish'>;
  readonly clock: Pick<Clock, 'sleep'>;
  readonly report: (text: string, error?: unknown) => void;
}

const TICKET_KEY_BYTES = 48;

export class CertificatePublisher {
  readonly #options: CertificatePublisherOptions;
  readonly #run = randomBytes(8).toString('hex');
  #epoch = 0;
  #keeper: Pick<CertificateKeeper, 'certificates'> | undefined;
  /** Never stored: who takes a disk away must not read what was said before. */
  #ticketKey: Uint8Array<ArrayBuffer> = randomBytes(TICKET_KEY_BYTES);

  constructor(options: CertificatePublisherOptions) {
    this.#options = options;
  }

  /** Throws TRANSPORT_REFUSED. */
  answer(message: Message): Message {
    if (message.type !== 'certificates.get')
      throw new TandemError('TRANSPORT_REFUSED', `${message.type} is no request to the nexus`);
    if (!this.#keeper)
      throw new TandemError('TRANSPORT_REFUSED', 'the certificates are not complete yet');
    const snapshot: CertificatesSnapshot = {
      type: 'certificates.snapshot',
      run: this.#run,
      epoch: this.#epoch,
      certificates: this.#keeper.certificates().map(messageOf),
      ticketKey: this.#ticketKey,
    };
    return snapshot;
  }

  /** From now on, until `signal` fires. What the keeper has must be complete. */
  follow(
    keeper: Pick<CertificateKeeper, 'certificates' | 'onCertificate'>,
    signal: AbortSignal,
  ): void {
    // What there is comes first, and is in the snapshot anyway.
    const end = keeper.onCertificate((change) => {
      if (this.#keeper) this.#publish(contentOf(change));
    });
    signal.addEventListener('abort', end, { once: true });
    this.#keeper = keeper;
    void this.#rotateTicketKeys(signal);
  }

  /**
   * Node.js knows one key at a time: with the next one, clients of yesterday shake hands in full
   * once more.
   */
  async #rotateTicketKeys(signal: AbortSignal): Promise<void> {
    for (;;) {
      await this.#options.clock
        .sleep(LIMITS.certificates.ticketKeyMs, signal)
        .catch(() => undefined);
      if (signal.aborted) return;
      this.#ticketKey = randomBytes(TICKET_KEY_BYTES);
      this.#publish({ ticketKey: this.#ticketKey });
    }
  }

  #publish(content: Omit<CertificatesUpdate, 'type' | 'run' | 'epoch'>): void {
    const { server, report } = this.#options;
    this.#epoch += 1;
    const version = { run: this.#run, epoch: this.#epoch };
    const update: CertificatesUpdate = { type: 'certificates.update', ...version, ...content };
    server.publish(CERTIFICATES_TOPIC, update).catch((error: unknown) => {
      // Balancers see the gap and take a snapshot.
      report('a certificate was not published', error);
    });
  }
}

function contentOf(change: CertificateChange) {
  return change.kind === 'set'
    ? { certificate: messageOf(change.certificate) }
    : { removedHost: change.host };
}

/** One host, one certificate: what else stands in it is shown by what is kept for that. */
function messageOf(certificate: ServedCertificate): CertificateMessage {
  const { host, names, chainPem, privateKeyPem, isFallback } = certificate;
  return { host, names: isFallback ? [...names] : [host], chainPem, privateKeyPem, isFallback };
}
