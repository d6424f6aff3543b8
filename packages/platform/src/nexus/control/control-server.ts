// The control API on a unix socket that only root can open: HTTP in, calls of the backend out.
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { RUN_PROTOCOL, toTandemError, type TandemError } from '@tandem/protocol';
import { createServer } from '@tandem/protocol/node-http';
import { LIMITS } from '../../domain/limits.ts';
import { listenPrivately } from '../../lib/private-socket.ts';
import { sendError } from './answer.ts';
import type { ControlBackend } from './backend.ts';
import { ENDPOINTS, type Exchange, type Handler } from './endpoints.ts';
import { Router } from './router.ts';
import { serveRun } from './run-session.ts';
import type { UploadLimits } from './upload.ts';
import { checkAppName } from './validation.ts';

const HEADERS_TIMEOUT_MS = 10_000;
const CLOSE_GRACE_MS = 2_000;

export interface ControlServerOptions {
  readonly socketPath: string;
  readonly backend: ControlBackend;
  /** Told of every error of kind `system`, with its cause; for the agent's own log. */
  readonly onDefect: (error: TandemError, request: string) => void;
  readonly uploadLimits?: UploadLimits;
}

export interface ControlServer {
  /** Ends streams and sessions, lets short answers finish, removes the socket. */
  close(): Promise<void>;
}

export async function startControlServer(options: ControlServerOptions): Promise<ControlServer> {
  const control = new ControlServerProcess(options);
  return await control.listen();
}

class ControlServerProcess {
  readonly #options: ControlServerOptions;
  readonly #router = new Router<Handler>(ENDPOINTS);
  readonly #runs = new Router<undefined>([
    { method: 'POST', path: '/v1/apps/:app/run', handle: undefined },
  ]);
  readonly #closing = new AbortController();
  readonly #sessions = new Set<Duplex>();
  readonly #server: Server;

  constructor(options: ControlServerOptions) {
    this.#options = options;
    this.#server = createServer({ requestTimeout: 0, headersTimeout: HEADERS_TIMEOUT_MS });
    this.#server.maxConnections = LIMITS.control.connectionsMax;
    const serve = (request: IncomingMessage, response: ServerResponse): void =>
      void this.#serve(request, response);
    this.#server.on('request', serve);
    this.#server.on('checkContinue', serve);
    this.#server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      void this.#upgrade(request, socket, head);
    });
  }

  async listen(): Promise<ControlServer> {
    const socket = await listenPrivately(this.#server, this.#options.socketPath);
    return {
      close: async () => {
        await socket.remove();
        await this.#close();
      },
    };
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    response.on('error', () => gone.abort());
    request.on('error', () => undefined);
    const signal = AbortSignal.any([gone.signal, this.#closing.signal]);
    try {
      const { query, handle, params } = this.#route(request);
      const exchange = { request, response, query, params, signal };
      await handle(this.#options.backend, this.#withLimits(exchange));
    } catch (error) {
      this.#report(error, request);
      await sendError(response, error);
    } finally {
      // A stream that we stopped is cut, so the client knows that it is not complete.
      if (!response.writableEnded) response.destroy();
    }
  }

  #route(request: IncomingMessage) {
    const { path, query } = splitTarget(request);
    return { query, ...this.#router.match(request.method ?? '', path) };
  }

  #withLimits(exchange: Omit<Exchange, 'uploadLimits'>): Exchange {
    const { uploadLimits } = this.#options;
    return uploadLimits ? { ...exchange, uploadLimits } : exchange;
  }

  async #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    this.#sessions.add(socket);
    socket.once('close', () => this.#sessions.delete(socket));
    socket.on('error', () => socket.destroy());
    if (request.headers.upgrade !== RUN_PROTOCOL) return refuseUpgrade(socket);
    try {
      const { params } = this.#runs.match(request.method ?? '', splitTarget(request).path);
      const app = params['app'] ?? '';
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${RUN_PROTOCOL}\r\n\r\n`,
      );
      if (head.length > 0) socket.unshift(head);
      await serveRun(socket, this.#checked(), app);
    } catch {
      refuseUpgrade(socket);
    }
  }

  /** Names are checked inside the session, so that the refusal comes as an error frame. */
  #checked(): Pick<ControlBackend, 'run'> {
    const { backend } = this.#options;
    return {
      run: async (app, session) => {
        try {
          return await backend.run(checkAppName(app), session);
        } catch (error) {
          this.#report(error, undefined);
          throw error;
        }
      },
    };
  }

  #report(thrown: unknown, request: IncomingMessage | undefined): void {
    const error = toTandemError(thrown);
    if (error.kind !== 'system') return;
    this.#options.onDefect(error, request ? `${request.method} ${request.url}` : 'run');
  }

  async #close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#closing.abort();
    for (const socket of this.#sessions) socket.destroy();
    this.#server.closeIdleConnections();
    const timer = setTimeout(() => this.#server.closeAllConnections(), CLOSE_GRACE_MS);
    await closed.finally(() => clearTimeout(timer));
  }
}

/** Taken as it stands: a URL parser would resolve `..` before it is checked. */
function splitTarget({ url = '' }: IncomingMessage): { path: string; query: URLSearchParams } {
  const at = url.indexOf('?');
  if (at < 0) return { path: url, query: new URLSearchParams() };
  return { path: url.slice(0, at), query: new URLSearchParams(url.slice(at + 1)) };
}

function refuseUpgrade(socket: Duplex): void {
  if (socket.destroyed) return;
  socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
}
