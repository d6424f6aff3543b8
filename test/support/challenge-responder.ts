// Answers certificate authorities as the balancers do: tokens over HTTP, challenge certificates over
// TLS, on ports of its own.
import { once } from 'node:events';
import { createServer as createHttpServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createSecureContext, createServer as createTlsServer, type TlsOptions } from 'node:tls';
import {
  ALPN_PROTOCOL,
  HTTP_CHALLENGE_PATH,
  type Challenge,
  type ChallengeKind,
  type ChallengeSolver,
} from '../../packages/platform/src/ports/certificate-authority.ts';

export class ChallengeResponder implements ChallengeSolver {
  kinds: readonly ChallengeKind[] = ['http-01', 'tls-alpn-01'];
  readonly presented: Challenge[] = [];
  readonly cleaned: Challenge[] = [];
  /** Runs before a challenge is put up. */
  beforePresent: (challenge: Challenge, signal: AbortSignal) => Promise<void> = async () =>
    undefined;
  /** What is said instead of the right answer. */
  lie: string | undefined;
  readonly #tokens = new Map<string, string>();
  readonly #certificates = new Map<string, { cert: string; key: string }>();
  readonly #http: Server;
  readonly #tls: ReturnType<typeof createTlsServer>;

  private constructor() {
    this.#http = createHttpServer((request, response) => {
      const host = (request.headers.host ?? '').replace(/:\d+$/, '');
      const token = (request.url ?? '').slice(HTTP_CHALLENGE_PATH.length);
      const content = this.#tokens.get(`${host} ${token}`);
      response.statusCode = content === undefined ? 404 : 200;
      response.end(content === undefined ? 'nothing here' : (this.lie ?? content));
    });
    const options: TlsOptions = {
      ALPNProtocols: [ALPN_PROTOCOL],
      SNICallback: (name, answer) => {
        const pair = this.#certificates.get(name);
        answer(pair ? null : new Error(`nothing for ${name}`), pair && createSecureContext(pair));
      },
    };
    this.#tls = createTlsServer(options, (socket) => socket.end());
    this.#tls.on('tlsClientError', () => undefined);
  }

  static async start(): Promise<ChallengeResponder> {
    const responder = new ChallengeResponder();
    for (const server of [responder.#http, responder.#tls]) {
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
    }
    return responder;
  }

  get httpPort(): number {
    return (this.#http.address() as AddressInfo).port;
  }

  get tlsPort(): number {
    return (this.#tls.address() as AddressInfo).port;
  }

  /** Nothing is left behind. */
  get isTidy(): boolean {
    return (
      this.#tokens.size === 0 &&
      this.#certificates.size === 0 &&
      this.presented.length === this.cleaned.length
    );
  }

  async present(challenge: Challenge, signal: AbortSignal): Promise<void> {
    this.presented.push(challenge);
    await this.beforePresent(challenge, signal);
    if (challenge.kind === 'http-01')
      this.#tokens.set(`${challenge.host} ${challenge.token}`, challenge.content);
    if (challenge.kind === 'tls-alpn-01') {
      const { chainPem, privateKeyPem } = challenge.certificate;
      this.#certificates.set(challenge.host, { cert: chainPem, key: privateKeyPem });
    }
  }

  async cleanup(challenge: Challenge): Promise<void> {
    this.cleaned.push(challenge);
    if (challenge.kind === 'http-01') this.#tokens.delete(`${challenge.host} ${challenge.token}`);
    this.#certificates.delete(challenge.host);
  }

  async stop(): Promise<void> {
    this.#http.closeAllConnections();
    this.#http.close();
    this.#tls.close();
    await Promise.all([once(this.#http, 'close'), once(this.#tls, 'close')]);
  }
}
