// The TLS listening end: which certificate a client is shown and which protocol it will speak. What
// goes wrong in a handshake ends that connection and is nobody else's news.
import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { createServer, type SecureContext, type Server, type TLSSocket } from 'node:tls';
import type { BalancerLimits } from '../../domain/limits.ts';
import { ALPN_PROTOCOL } from '../../ports/certificate-authority.ts';
import type { CertificateShelf, ServedCertificate, ShelfListener } from './certificate-shelf.ts';
import { tlsSettings } from './tls-settings.ts';

export interface TlsListenerOptions {
  readonly shelf: CertificateShelf;
  readonly limits: BalancerLimits;
  readonly onHttp1: (socket: TLSSocket) => void;
  readonly onHttp2: (socket: TLSSocket) => void;
}

const HTTP_2 = 'h2';
const HTTP_1 = 'http/1.1';
const TICKET_KEY_BYTES = 48;
/** A record with a fatal alert (RFC 8446 section 6): `unrecognized_name`. */
const UNRECOGNIZED_NAME = Buffer.from([0x15, 0x03, 0x03, 0, 2, 2, 112]);

type ContextCallback = (error: Error | null, context?: SecureContext) => void;

export class TlsListener implements ShelfListener {
  readonly server: Server;
  readonly #options: TlsListenerOptions;
  /** In their handshake, by their address. */
  readonly #greeting = new Map<string, Socket>();
  /** Were promised the answer to a challenge. */
  readonly #challenged = new WeakSet<TLSSocket>();

  constructor(options: TlsListenerOptions) {
    const { shelf, limits } = options;
    this.#options = options;
    // Both are called with the connection as `this`.
    const chooseProtocol = this.#chooseProtocol.bind(this);
    const chooseCertificate = this.#chooseCertificate.bind(this);
    this.server = createServer({
      ...tlsSettings(limits),
      ...this.#ownCertificate(shelf.fallback),
      ticketKeys: shelf.ticketKeys ?? randomBytes(TICKET_KEY_BYTES),
      handshakeTimeout: limits.handshakeTimeoutMs,
      noDelay: true,
      ALPNCallback(this: TLSSocket, { servername, protocols }) {
        return chooseProtocol(this, servername, protocols);
      },
      SNICallback(this: TLSSocket, name: string, done: ContextCallback) {
        chooseCertificate(this, name, done);
      },
    });
    this.server
      .on('connection', (socket: Socket) => this.#greet(socket))
      .on('secureConnection', (socket) => this.#welcome(socket))
      .on('tlsClientError', (_, socket) => socket.destroy());
    shelf.addListener(this);
  }

  onTicketKeys(keys: Buffer): void {
    this.server.setTicketKeys(keys);
  }

  /** For who names no server; who names one is answered from the shelf. */
  onFallback(certificate: ServedCertificate | undefined): void {
    const { shelf, limits } = this.#options;
    const ticketKeys = shelf.ticketKeys ?? this.server.getTicketKeys();
    this.server.setSecureContext({ ...tlsSettings(limits), ...this.#ownCertificate(certificate) });
    this.server.setTicketKeys(ticketKeys);
  }

  /** The shelf no longer tells it anything. */
  close(): void {
    this.#options.shelf.removeListener(this);
  }

  /** Who has not come through the handshake yet. */
  destroyGreeted(): void {
    for (const socket of this.#greeting.values()) socket.destroy();
  }

  #ownCertificate(
    certificate: ServedCertificate | undefined,
  ): { readonly cert: string; readonly key: string } | undefined {
    // The shelf knows by now whether it is of any use.
    if (certificate === undefined || this.#options.shelf.contextFor(undefined) === undefined)
      return undefined;
    return { cert: certificate.certificatePem, key: certificate.keyPem };
  }

  #greet(socket: Socket): void {
    const key = addressOf(socket);
    this.#greeting.set(key, socket);
    socket.once('close', () => {
      if (this.#greeting.get(key) === socket) this.#greeting.delete(key);
    });
  }

  /** Before the certificate in TLS 1.3, after it in 1.2. */
  #chooseProtocol(
    socket: TLSSocket,
    serverName: string,
    protocols: readonly string[],
  ): string | undefined {
    if (protocols.includes(HTTP_2)) return HTTP_2;
    if (protocols.includes(HTTP_1)) return HTTP_1;
    if (!protocols.includes(ALPN_PROTOCOL)) return undefined;
    const challenge = this.#options.shelf.challengeFor(serverName);
    if (challenge === undefined) return undefined;
    this.#challenged.add(socket);
    socket.setKeyCert(challenge);
    return ALPN_PROTOCOL;
  }

  #chooseCertificate(socket: TLSSocket, serverName: string, done: ContextCallback): void {
    const { shelf } = this.#options;
    // None: what was set for the challenge stays.
    if (this.#challenged.has(socket)) return done(null);
    // A host whose first certificate is being ordered has nothing else to show yet.
    const context = shelf.contextFor(serverName) ?? shelf.challengeFor(serverName);
    if (context !== undefined) return done(null, context);
    this.#greeting.get(addressOf(socket))?.end(UNRECOGNIZED_NAME);
    done(new Error('no certificate'));
  }

  #welcome(socket: TLSSocket): void {
    this.#greeting.delete(addressOf(socket));
    const { onHttp1, onHttp2, limits } = this.#options;
    if (socket.alpnProtocol === HTTP_2) return onHttp2(socket);
    if (socket.alpnProtocol !== ALPN_PROTOCOL) {
      // Not earlier: a client that goes away in its handshake would be waited for.
      socket.allowHalfOpen = true;
      return onHttp1(socket);
    }
    // The certificate was all it came for.
    socket.on('error', () => socket.destroy()).end();
    socket.resume().setTimeout(limits.lingerMs, () => socket.destroy());
  }
}

const addressOf = (socket: Socket): string => `${socket.remoteAddress}|${socket.remotePort}`;
