// A client that writes bytes and reads answers one by one, for tests of HTTP itself: it believes only
// what the framing of an answer says.
import { connect, type Socket } from 'node:net';

const WAIT_MS = 6_000;

export interface RawAnswer {
  readonly version: string;
  readonly status: number;
  readonly reason: string;
  /** Names in lower case, in the order they came. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
  readonly trailers: readonly (readonly [name: string, value: string])[];
  /** Chunk sizes, for a chunked body. */
  readonly chunks: readonly number[];
}

export class RawClient {
  readonly socket: Socket;
  #text = '';
  #ended = false;
  #wake: () => void = () => undefined;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => this.#took(chunk.toString('latin1')));
    socket.on('error', () => undefined);
    socket.on('end', () => this.#finish()).on('close', () => this.#finish());
  }

  static async open(port: number, bytes = ''): Promise<RawClient> {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    await new Promise<void>((resolve, reject) =>
      socket.once('connect', resolve).once('error', reject),
    );
    const client = new RawClient(socket);
    client.write(bytes);
    return client;
  }

  write(bytes: string): void {
    this.socket.write(bytes, 'latin1');
  }

  /** What came and was not read as an answer. */
  get rest(): string {
    return this.#text;
  }

  /** The next answer, 1xx among them. Rejects when it does not come whole, or not in time. */
  async answer(method = 'GET'): Promise<RawAnswer> {
    const head = await this.#until('\r\n\r\n');
    const [line = '', ...lines] = head.split('\r\n');
    const [, version = '', status = '', reason = ''] =
      /^(HTTP\/\d\.\d) (\d{3}) ?(.*)$/.exec(line) ?? [];
    const headers = fieldsOf(lines);
    const common = { version, status: Number(status), reason, headers };
    const isBodiless = method === 'HEAD' || /^(?:1\d\d|204|304)$/.test(status);
    if (isBodiless) return { ...common, body: '', trailers: [], chunks: [] };
    if (headers.some(([name]) => name === 'transfer-encoding'))
      return { ...common, ...(await this.#chunks()) };
    const length = headers.find(([name]) => name === 'content-length')?.[1];
    const body = length === undefined ? await this.untilClosed() : await this.#take(Number(length));
    return { ...common, body, trailers: [], chunks: [] };
  }

  /** All that comes until the balancer closes. */
  async untilClosed(): Promise<string> {
    await this.#wait(() => this.#ended, 'the end');
    return this.#cut(this.#text.length);
  }

  /** Whether it is open and silent for so long. */
  async isSilent(ms: number): Promise<boolean> {
    await new Promise((resolve) => setTimeout(resolve, ms));
    return this.#text === '' && !this.#ended;
  }

  close(): void {
    this.socket.destroy();
  }

  async #chunks(): Promise<Pick<RawAnswer, 'body' | 'trailers' | 'chunks'>> {
    const chunks: number[] = [];
    for (let body = ''; ;) {
      const line = await this.#until('\r\n');
      const size = Number.parseInt(line, 16);
      if (!/^[0-9a-f]+$/i.test(line)) throw new Error(`a chunk of size ${line}`);
      if (size === 0) return { body, chunks, trailers: await this.#trailers() };
      chunks.push(size);
      body += await this.#take(size);
      if ((await this.#take(2)) !== '\r\n') throw new Error('a chunk without its end');
    }
  }

  async #trailers(): Promise<RawAnswer['trailers']> {
    const lines: string[] = [];
    for (let line = await this.#until('\r\n'); line !== ''; line = await this.#until('\r\n'))
      lines.push(line);
    return fieldsOf(lines);
  }

  async #until(mark: string): Promise<string> {
    await this.#wait(() => this.#text.includes(mark), JSON.stringify(mark));
    const text = this.#cut(this.#text.indexOf(mark));
    this.#cut(mark.length);
    return text;
  }

  async #take(length: number): Promise<string> {
    await this.#wait(() => this.#text.length >= length, `${length} bytes`);
    return this.#cut(length);
  }

  #cut(length: number): string {
    const text = this.#text.slice(0, length);
    this.#text = this.#text.slice(length);
    return text;
  }

  async #wait(isThere: () => boolean, what: string): Promise<void> {
    const deadlineMs = performance.now() + WAIT_MS;
    while (!isThere()) {
      const leftMs = deadlineMs - performance.now();
      if (this.#ended || leftMs <= 0)
        throw new Error(
          `${what} did not come${this.#ended ? ' before the end' : ' in time'}: ${this.#text.slice(0, 300)}`,
        );
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  #took(text: string): void {
    this.#text += text;
    this.#wake();
  }

  #finish(): void {
    this.#ended = true;
    this.#wake();
  }
}

function fieldsOf(lines: readonly string[]): [string, string][] {
  return lines.map((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  });
}

export const valuesOf = (fields: RawAnswer['headers'], name: string): string[] =>
  fields.filter(([key]) => key === name).map(([, value]) => value);
