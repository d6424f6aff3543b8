// Visitors who come by HTTPS without a break, each on a connection that it keeps for some requests and
// then makes anew. They trust one authority alone, so a certificate that ran out is a failure too.
import { once } from 'node:events';
import { Agent, request } from 'node:https';
import { text } from 'node:stream/consumers';
import type { TLSSocket } from 'node:tls';

export interface HttpsLoadOptions {
  readonly port: number;
  readonly host: string;
  readonly ca: string;
  readonly visitors: number;
  /** Between two requests of one visitor. */
  readonly pauseMs: number;
  readonly expectText: string;
}

const REQUESTS_PER_CONNECTION = 8;
const TIMEOUT_MS = 20_000;

export class HttpsLoad {
  requests = 0;
  readonly failures: string[] = [];
  /** Fingerprints of the certificates that were shown, in the order of their first day. */
  readonly seen = new Set<string>();
  readonly #options: HttpsLoadOptions;
  readonly #ended: Promise<unknown>;
  #stopping = false;

  constructor(options: HttpsLoadOptions) {
    this.#options = options;
    this.#ended = Promise.all(Array.from({ length: options.visitors }, () => this.#visit()));
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#ended;
  }

  async #visit(): Promise<void> {
    const { pauseMs } = this.#options;
    while (!this.#stopping) {
      // A session taken up again would show the certificate of its beginning.
      const agent = new Agent({ keepAlive: true, maxSockets: 1, maxCachedSessions: 0 });
      for (let count = 0; count < REQUESTS_PER_CONNECTION && !this.#stopping; count += 1) {
        this.requests += 1;
        await this.#ask(agent).catch((error: unknown) => this.failures.push(String(error)));
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
      }
      agent.destroy();
    }
  }

  async #ask(agent: Agent): Promise<void> {
    const { port, host, ca, expectText } = this.#options;
    const outgoing = request({
      ...{ host: '127.0.0.1', port, servername: host, ca, agent, path: '/' },
      headers: { host: `${host}:${port}` },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    outgoing.once('socket', (socket: TLSSocket) =>
      socket.once('secureConnect', () => {
        this.seen.add(socket.getPeerCertificate().fingerprint256);
      }),
    );
    outgoing.end();
    const [response] = (await once(outgoing, 'response')) as [
      NodeJS.ReadableStream & { statusCode: number },
    ];
    const body = await text(response);
    if (response.statusCode !== 200 || !body.includes(expectText))
      throw new Error(`${response.statusCode}: ${body.slice(0, 200)}`);
  }
}
