// A certificate authority that has accounts and gives no certificates: every order is answered as the
// test says.
import { once } from 'node:events';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { selfSign } from '../../packages/platform/src/adapters/self-signed/self-signed.ts';

export interface StubAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

export class StubAuthority {
  answer: StubAnswer;
  orders = 0;
  readonly caPem: string;
  readonly #server: Server;

  private constructor(server: Server, caPem: string, answer: StubAnswer) {
    this.#server = server;
    this.caPem = caPem;
    this.answer = answer;
  }

  static async start(answer: StubAnswer): Promise<StubAuthority> {
    const nowMs = Date.now();
    const times = { notBeforeMs: nowMs - 60_000, notAfterMs: nowMs + 3_600_000 };
    const { chainPem, privateKeyPem } = await selfSign({ names: ['localhost'], ...times });
    const server = createServer({ cert: chainPem, key: privateKeyPem });
    const stub = new StubAuthority(server, chainPem, answer);
    server.on('request', (request, response) => {
      request.resume();
      const { status, headers, body } = stub.#reply(request.url ?? '');
      response.writeHead(status, { 'replay-nonce': 'bm9uY2U', ...headers }).end(body);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return stub;
  }

  get directoryUrl(): string {
    return `${this.#origin}/dir`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  get #origin(): string {
    return `https://localhost:${(this.#server.address() as AddressInfo).port}`;
  }

  #reply(path: string): StubAnswer {
    const url = (name: string): string => `${this.#origin}/${name}`;
    switch (path) {
      case '/dir': {
        const names = ['newNonce', 'newAccount', 'newOrder'];
        const body = JSON.stringify(Object.fromEntries(names.map((name) => [name, url(name)])));
        return { status: 200, headers: { 'content-type': 'application/json' }, body };
      }
      case '/newAccount':
        return { status: 201, headers: { location: url('account/1') }, body: '{}' };
      case '/newOrder':
        this.orders += 1;
        return this.answer;
      default:
        return { status: 200, body: '' };
    }
  }
}

export const problem = (
  status: number,
  type: string,
  detail: string,
  headers: Readonly<Record<string, string>> = {},
): StubAnswer => ({
  status,
  headers: { 'content-type': 'application/problem+json', ...headers },
  body: JSON.stringify({ type: `urn:ietf:params:acme:error:${type}`, detail, status }),
});
