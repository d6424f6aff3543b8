// What workers need for TLS, and when it changes: certificates when the files are read again, the key
// of the session tickets by the clock.
import { randomBytes } from 'node:crypto';
import { type CertificateFiles, readCertificates } from './certificate-files.ts';
import type { TlsMessage } from './messages.ts';

/** Whoever gets hold of a key reads what was said under it: none is used for long. */
const TICKET_KEY_LIFE_MS = 12 * 3_600_000;
const TICKET_KEY_BYTES = 48;

export interface TlsMaterialOptions {
  readonly files: readonly CertificateFiles[];
  readonly onChange: (message: TlsMessage) => void;
  readonly log: (line: string) => void;
}

export class TlsMaterial {
  readonly #options: TlsMaterialOptions;
  readonly #timer: NodeJS.Timeout;
  #message: TlsMessage;

  /** Throws CERTIFICATE_INVALID: there is nothing to serve with. */
  static async read(options: TlsMaterialOptions): Promise<TlsMaterial> {
    const certificates = await readCertificates(options.files, options.log);
    return new TlsMaterial(options, { certificates, ticketKeys: newTicketKeys() });
  }

  private constructor(options: TlsMaterialOptions, message: TlsMessage) {
    this.#options = options;
    this.#message = message;
    this.#timer = setInterval(() => {
      this.#change({ ...this.#message, ticketKeys: newTicketKeys() });
    }, TICKET_KEY_LIFE_MS);
  }

  get message(): TlsMessage {
    return this.#message;
  }

  /** Never rejects: what cannot be used leaves everything as it is and is told. */
  async reread(): Promise<void> {
    const { files, log } = this.#options;
    if (files.length === 0) return;
    try {
      const certificates = await readCertificates(files, log);
      this.#change({ ...this.#message, certificates });
      log(`certificates: ${certificates.length} read`);
    } catch (error) {
      log(`${error instanceof Error ? error.message : String(error)}`);
      log('the certificates stay as they were');
    }
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #change(message: TlsMessage): void {
    this.#message = message;
    this.#options.onChange(message);
  }
}

const newTicketKeys = (): string => randomBytes(TICKET_KEY_BYTES).toString('base64');
