// Two readers of HTTP/1.1 that know nothing of each other or of us: llhttp, as node:http has it, and
// h11 of Python. What a backend received, or a client, is unambiguous only if both read the same.
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createServer, type IncomingMessage, METHODS, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { RecordedConnection } from './recording-backend.ts';

const H11_PARSER = join(import.meta.dirname, 'h11-parser.py');
const HEAD_BYTES_MAX = 1 << 20;
const ENDED_EARLY = new Set(['ECONNRESET', 'HPE_INVALID_EOF_STATE']);

type Fields = readonly (readonly [name: string, value: string])[];

/** Names in lower case; bytes as latin1. */
export interface ParsedMessage {
  readonly method?: string;
  readonly target?: string;
  readonly status?: number;
  readonly version: string;
  readonly headers: Fields;
  readonly body: string;
  readonly trailers: Fields;
  /** False for what the bytes end in the middle of. */
  readonly whole: boolean;
}

export interface Parsed {
  readonly messages: readonly ParsedMessage[];
  readonly error: string | null;
}

interface H11Answer extends Parsed {
  readonly id: number;
  readonly rest: string;
}

export class TwoParsers {
  readonly #python: ChildProcessWithoutNullStreams;
  readonly #waiting = new Map<number, (answer: H11Answer) => void>();
  readonly #llhttp: Server;
  /** By the port that bytes are fed from. */
  readonly #fed = new Map<number, { messages: Mutable[]; error: string | null }>();
  #questions = 0;

  constructor() {
    this.#python = spawn('/usr/bin/python3', [H11_PARSER]);
    this.#python.stderr.pipe(process.stderr);
    createInterface({ input: this.#python.stdout }).on('line', (line) => {
      const answer = JSON.parse(line) as H11Answer;
      this.#waiting.get(answer.id)?.(answer);
      this.#waiting.delete(answer.id);
    });
    this.#llhttp = createServer({
      ...{ maxHeaderSize: HEAD_BYTES_MAX, requireHostHeader: false, joinDuplicateHeaders: false },
      shouldUpgradeCallback: () => false,
    });
    this.#llhttp.maxHeadersCount = 0;
    this.#llhttp.on('request', (request, response) => {
      this.#collect(request);
      request.once('end', () => response.end());
    });
    this.#llhttp.on('clientError', (error: NodeJS.ErrnoException, socket) => {
      const { remotePort = 0 } = socket as { remotePort?: number };
      const fed = this.#fed.get(remotePort);
      // The end of the bytes in the middle of a message shows in `whole`.
      if (fed && !ENDED_EARLY.has(error.code ?? '')) fed.error = error.message;
      socket.destroy();
    });
  }

  async open(): Promise<void> {
    await new Promise<void>((resolve) => this.#llhttp.listen(0, '127.0.0.1', resolve));
  }

  close(): void {
    this.#python.stdin.end();
    this.#llhttp.close();
    this.#llhttp.closeAllConnections();
  }

  /** What a backend was sent on one connection, as each of the two reads it. */
  async requests(connection: RecordedConnection): Promise<{ llhttp: Parsed; h11: Parsed }> {
    const { bytes } = connection;
    const [llhttp, h11] = await Promise.all([
      this.#readByLlhttp(connection),
      this.#ask({ kind: 'requests', bytes: bytes.toString('base64') }),
    ]);
    return { llhttp, h11 };
  }

  /** What a client received on one connection, as h11 reads it that sent these methods. */
  responses(bytes: Buffer, methods: readonly string[], ended: boolean): Promise<H11Answer> {
    return this.#ask({ kind: 'responses', bytes: bytes.toString('base64'), methods, ended });
  }

  #ask(question: Record<string, unknown>): Promise<H11Answer> {
    const id = (this.#questions += 1);
    return new Promise((resolve, reject) => {
      if (this.#python.exitCode !== null) reject(new Error('python3 with h11 is not running'));
      this.#python.once('exit', () => reject(new Error('python3 with h11 ended')));
      this.#python.setMaxListeners(0);
      this.#waiting.set(id, resolve);
      this.#python.stdin.write(`${JSON.stringify({ id, ...question })}\n`);
    });
  }

  /** llhttp knows only the methods of its list; another is swapped for one of them and put back. */
  async #readByLlhttp({ bytes, starts }: RecordedConnection): Promise<Parsed> {
    const pieces = starts.map((start, index) => bytes.subarray(start, starts[index + 1]));
    const unknown = pieces.map((piece) => {
      const method = /^[!#$%&'*+.^_`|~0-9a-zA-Z-]+(?= )/.exec(piece.toString('latin1'))?.[0];
      return method === undefined || METHODS.includes(method) ? undefined : method;
    });
    const swapped = pieces.map((piece, index) => {
      const method = unknown[index];
      if (method === undefined) return piece;
      return Buffer.concat([Buffer.from('PUT'), piece.subarray(method.length)]);
    });
    const { messages, error } = await this.#feed(Buffer.concat(swapped));
    const restored = messages.map((message, index) => {
      const method = unknown[index];
      return method === undefined ? message : { ...message, method };
    });
    return { messages: restored, error };
  }

  #feed(bytes: Buffer): Promise<Parsed> {
    return new Promise((resolve, reject) => {
      const socket = connect((this.#llhttp.address() as AddressInfo).port, '127.0.0.1', () => {
        const port = socket.localPort ?? 0;
        const fed = { messages: [], error: null };
        this.#fed.set(port, fed);
        socket.once('close', () => {
          this.#fed.delete(port);
          resolve(fed);
        });
        socket.end(bytes);
      });
      socket.on('error', reject).resume();
    });
  }

  #collect(request: IncomingMessage): void {
    const message: Mutable = {
      ...{ method: request.method ?? '', target: request.url ?? '', version: request.httpVersion },
      ...{ headers: pairsOf(request.rawHeaders), body: '', trailers: [], whole: false },
    };
    this.#fed.get(request.socket.remotePort ?? 0)?.messages.push(message);
    request.on('data', (chunk: Buffer) => (message.body += chunk.toString('latin1')));
    request.on('error', () => undefined);
    request.once('end', () => {
      message.trailers = pairsOf(request.rawTrailers);
      message.whole = true;
    });
  }
}

type Mutable = { -readonly [Key in keyof ParsedMessage]: ParsedMessage[Key] };

/** Pairs of node:http's flat list. */
export function pairsOf(raw: readonly string[]): [string, string][] {
  const pairs: [string, string][] = [];
  for (let index = 0; index + 1 < raw.length; index += 2)
    pairs.push([(raw[index] ?? '').toLowerCase(), raw[index + 1] ?? '']);
  return pairs;
}
