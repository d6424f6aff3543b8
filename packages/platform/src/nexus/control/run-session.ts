// The server's end of `tandem run`: frames of an upgraded connection on one side, plain streams for
// the backend on the other.
import type { Duplex } from 'node:stream';
import { PassThrough, Writable } from 'node:stream';
import {
  RunFrameDecoder,
  RunRequest,
  TandemError,
  TerminalSize,
  encodeRunFrame,
  encodeRunJson,
  toTandemError,
  type RunFrame,
} from '@tandem/protocol';
import { LIMITS } from '../../domain/limits.ts';
import type { ControlBackend, RunSession } from './backend.ts';
import { check } from './validation.ts';

type SizeListener = (size: TerminalSize) => void;

/** Resolves when the session is over and the connection ended; never rejects. */
export async function serveRun(
  socket: Duplex,
  backend: Pick<ControlBackend, 'run'>,
  app: string,
): Promise<void> {
  const connection = new RunConnection(socket);
  try {
    const session = await connection.session();
    const code = await backend.run(app, session);
    await connection.finish(encodeRunJson('exit', { code }));
  } catch (error) {
    await connection.finish(encodeRunJson('error', toTandemError(error).toBody()));
  } finally {
    connection.close();
  }
}

class RunConnection {
  readonly #socket: Duplex;
  readonly #decoder = new RunFrameDecoder();
  readonly #stdin = new PassThrough();
  readonly #gone = new AbortController();
  readonly #start = Promise.withResolvers<RunRequest>();
  readonly #sizeListeners: SizeListener[] = [];
  /** The last one told; whoever listens late hears of it too. */
  #size: TerminalSize | undefined;
  #started = false;

  constructor(socket: Duplex) {
    this.#socket = socket;
    // `session` may not be waited for yet when the connection breaks.
    this.#start.promise.catch(() => undefined);
    this.#stdin.on('error', () => undefined);
    this.#stdin.on('drain', () => socket.resume());
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('error', () => this.#lose());
    socket.on('close', () => this.#lose());
    socket.on('end', () => this.#lose());
  }

  /** Once the client has said what to run. */
  async session(): Promise<RunSession> {
    const timer = setTimeout(
      () => this.#start.reject(new TandemError('REQUEST_INVALID', 'The run request never came.')),
      LIMITS.control.bodyTimeoutMs,
    );
    const request = await this.#start.promise.finally(() => clearTimeout(timer));
    return {
      request,
      stdin: this.#stdin,
      output: this.#outputStream(),
      onResize: (listener) => {
        this.#sizeListeners.push(listener);
        if (this.#size) listener(this.#size);
      },
      signal: this.#gone.signal,
    };
  }

  /** Sends the last frame behind all output. */
  async finish(frame: Buffer): Promise<void> {
    if (this.#socket.destroyed) return;
    await new Promise<void>((resolve) => {
      this.#socket.once('close', resolve);
      this.#socket.end(frame, () => resolve());
    });
  }

  close(): void {
    this.#lose();
    // The client has closed, or gets a moment to read the last frame.
    setTimeout(() => this.#socket.destroy(), 1_000).unref();
  }

  #outputStream(): Writable {
    const socket = this.#socket;
    return new Writable({
      write(chunk: Buffer, _encoding, done) {
        if (socket.destroyed || socket.writableEnded) return done();
        if (socket.write(encodeRunFrame('output', chunk))) return done();
        const resume = (): void => {
          socket.removeListener('drain', resume).removeListener('close', resume);
          done();
        };
        socket.once('drain', resume).once('close', resume);
      },
    });
  }

  #receive(chunk: Buffer): void {
    try {
      for (const frame of this.#decoder.push(chunk)) this.#accept(frame);
    } catch (error) {
      this.#start.reject(error);
      this.#lose();
    }
  }

  #accept({ channel, payload }: RunFrame): void {
    if (!this.#started && channel !== 'start') {
      throw new TandemError('REQUEST_INVALID', `A run cannot begin with a ${channel} frame.`);
    }
    if (channel === 'start') {
      this.#started = true;
      this.#start.resolve(check(RunRequest, parseJson(payload), 'run'));
    } else if (channel === 'resize') {
      this.#size = check(TerminalSize, parseJson(payload), 'resize');
      for (const listener of this.#sizeListeners) listener(this.#size);
    } else if (channel === 'stdin' && payload.length === 0) {
      this.#stdin.end();
    } else if (channel === 'stdin' && !this.#stdin.writableEnded) {
      if (!this.#stdin.write(payload)) this.#socket.pause();
    }
  }

  #lose(): void {
    this.#start.reject(new TandemError('CANCELLED', 'The client is gone.'));
    this.#stdin.end();
    this.#gone.abort();
  }
}

function parseJson(payload: Buffer): unknown {
  try {
    return JSON.parse(payload.toString('utf8'));
  } catch {
    return undefined;
  }
}
