// A session with a Redis server, as bare as its protocol: what a test sends is what the server gets.
// https://redis.io/docs/latest/develop/reference/protocol-spec/
import { connect, type Socket } from 'node:net';
import type { RedisCredentials } from '../../packages/platform/src/services/redis/index.ts';

export type Reply = string | number | null | Reply[];

const CONNECT_TIMEOUT_MS = 2_000;

export class RedisClient {
  readonly #socket: Socket;
  readonly #waiting: { resolve: (reply: Reply) => void; reject: (error: Error) => void }[] = [];
  #received = Buffer.alloc(0);

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#deliver();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      for (const { reject } of this.#waiting.splice(0)) reject(new Error('connection closed'));
    });
  }

  /** Without a login. */
  static async connect(host: string, port = 6379): Promise<RedisClient> {
    const socket = connect({ host, port });
    await new Promise<void>((resolve, reject) => {
      socket.setTimeout(CONNECT_TIMEOUT_MS, () => reject(new Error('connection timed out')));
      socket.once('connect', resolve).once('error', reject);
    }).catch((error: unknown) => {
      socket.destroy();
      throw error;
    });
    socket.setTimeout(0);
    socket.setNoDelay();
    return new RedisClient(socket);
  }

  static async login({ ipv6, password }: RedisCredentials): Promise<RedisClient> {
    const client = await RedisClient.connect(ipv6);
    try {
      await client.call('AUTH', password);
    } catch (error) {
      client.close();
      throw error;
    }
    return client;
  }

  /** An error reply rejects. */
  async call(...words: readonly (string | Buffer)[]): Promise<Reply> {
    const parts = words.flatMap((word) => [`$${Buffer.byteLength(word)}\r\n`, word, '\r\n']);
    this.#socket.write(`*${words.length}\r\n`);
    for (const part of parts) this.#socket.write(part);
    return await new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  /** What the server sends stays with it. */
  stopReading(): void {
    this.#socket.pause();
  }

  close(): void {
    this.#socket.destroy();
  }

  #deliver(): void {
    for (;;) {
      const parsed = parse(this.#received, 0);
      if (!parsed) return;
      this.#received = this.#received.subarray(parsed.end);
      const next = this.#waiting.shift();
      if (parsed.reply instanceof Error) next?.reject(parsed.reply);
      else next?.resolve(parsed.reply);
    }
  }
}

/** Undefined while the reply is not whole. */
function parse(data: Buffer, from: number): { reply: Reply | Error; end: number } | undefined {
  const line = data.indexOf('\r\n', from);
  if (line < 0) return undefined;
  const text = data.toString('utf8', from + 1, line);
  const end = line + 2;
  switch (data.toString('latin1', from, from + 1)) {
    case '+':
      return { reply: text, end };
    case '-':
      return { reply: new Error(text), end };
    case ':':
      return { reply: Number(text), end };
    case '$':
      return parseBulk(data, end, Number(text));
    default:
      return parseArray(data, end, Number(text));
  }
}

function parseBulk(data: Buffer, from: number, length: number) {
  if (length < 0) return { reply: null, end: from };
  if (data.length < from + length + 2) return undefined;
  return { reply: data.toString('utf8', from, from + length), end: from + length + 2 };
}

function parseArray(data: Buffer, from: number, count: number) {
  const reply: Reply[] = [];
  let end = from;
  for (let index = 0; index < count; index += 1) {
    const item = parse(data, end);
    if (!item) return undefined;
    reply.push(item.reply instanceof Error ? item.reply.message : item.reply);
    end = item.end;
  }
  return { reply, end };
}
