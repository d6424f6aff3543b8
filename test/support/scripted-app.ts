// An app that answers with bytes a test gave it and keeps the requests it received.
import type { Socket } from 'node:net';
import type { Upstream } from '../../packages/platform/src/domain/route-table.ts';
import { type Backend, rawBackend } from './balancer-server.ts';
import { endOfRequest } from './recording-backend.ts';

export interface AppRequest {
  readonly method: string;
  readonly target: string;
  readonly version: string;
  /** Names in lower case, in the order they came. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** As it came, chunks and all; latin1. */
  readonly rawBody: string;
}

export type AppAnswer = string | ((request: AppRequest, socket: Socket) => string | undefined);

export const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

export class ScriptedApp {
  readonly requests: AppRequest[] = [];
  answer: AppAnswer = OK;
  readonly #backend: Backend;

  private constructor(backend: Backend) {
    this.#backend = backend;
  }

  static async start(): Promise<ScriptedApp> {
    let app: ScriptedApp | undefined = undefined;
    const backend = await rawBackend((socket) => app?.serve(socket));
    app = new ScriptedApp(backend);
    return app;
  }

  get upstream(): Upstream {
    return this.#backend.upstream;
  }

  get connections(): number {
    return this.#backend.connections;
  }

  /** The request that came last; there must be one. */
  get request(): AppRequest {
    const request = this.requests.at(-1);
    if (!request) throw new Error('no request reached the app');
    return request;
  }

  close(): Promise<void> {
    return this.#backend.close();
  }

  serve(socket: Socket): void {
    let bytes = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      for (let end = endOfRequest(bytes, 0); end !== undefined; end = endOfRequest(bytes, 0)) {
        const request = readRequest(bytes.toString('latin1', 0, end));
        bytes = bytes.subarray(end);
        this.requests.push(request);
        const answer = typeof this.answer === 'string' ? this.answer : this.answer(request, socket);
        if (answer !== undefined) socket.write(answer, 'latin1');
      }
    });
  }
}

function readRequest(text: string): AppRequest {
  const headEnd = text.indexOf('\r\n\r\n');
  const [line = '', ...lines] = text.slice(0, headEnd).split('\r\n');
  const [method = '', target = '', version = ''] = line.split(' ');
  const headers = lines.map((header): [string, string] => {
    const colon = header.indexOf(':');
    return [header.slice(0, colon).toLowerCase(), header.slice(colon + 1).trim()];
  });
  return { method, target, version, headers, rawBody: text.slice(headEnd + 4) };
}
