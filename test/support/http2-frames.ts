// HTTP/2 in frames that a test writes byte by byte, right or wrong (RFC 9113 section 4). Field blocks
// are written without compression; of those that come, only the status is read.
import type { TLSSocket } from 'node:tls';
import { shakeHands } from './tls-client.ts';

export const Frame = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;
export const Flag = { endStream: 1, ack: 1, endHeaders: 4, padded: 8, priority: 32 } as const;
export const ErrorCode = {
  none: 0,
  protocol: 1,
  internal: 2,
  flowControl: 3,
  streamClosed: 5,
  frameSize: 6,
  refused: 7,
  cancel: 8,
  compression: 9,
  enhanceYourCalm: 11,
} as const;

export interface ReceivedFrame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

export type Fields = readonly (readonly [name: string, value: string])[];

export const GET: Fields = [
  [':method', 'GET'],
  [':scheme', 'https'],
  [':path', '/'],
  [':authority', 'a.test'],
];
export const POST: Fields = [[':method', 'POST'], ...GET.slice(1)];

const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
const HEAD_BYTES = 9;
const WAIT_MS = 6_000;

export class FrameClient {
  readonly received: ReceivedFrame[] = [];
  isClosed = false;
  readonly socket: TLSSocket;
  #bytes = Buffer.alloc(0);
  #wake: () => void = () => undefined;

  private constructor(socket: TLSSocket) {
    this.socket = socket;
    socket.on('data', (bytes: Buffer) => this.#take(bytes));
    socket.on('close', () => {
      this.isClosed = true;
      this.#wake();
    });
  }

  /** With nothing said yet. */
  static async connect(port: number): Promise<FrameClient> {
    return new FrameClient(await shakeHands(port, { ALPNProtocols: ['h2'] }));
  }

  /** With preface and empty settings sent. */
  static async open(port: number): Promise<FrameClient> {
    const client = await FrameClient.connect(port);
    client.write(PREFACE);
    client.send(Frame.settings, 0, 0);
    return client;
  }

  write(bytes: string | Buffer): void {
    if (!this.socket.destroyed) this.socket.write(bytes, 'latin1');
  }

  send(type: number, flags: number, stream: number, payload: Buffer | string = ''): void {
    this.write(frame(type, flags, stream, payload));
  }

  /** HEADERS that end the field block, and the request unless told otherwise. */
  headers(stream: number, fields: Fields, flags: number = Flag.endStream): void {
    this.send(Frame.headers, flags | Flag.endHeaders, stream, block(fields));
  }

  data(stream: number, text: string, flags: number = Flag.endStream): void {
    this.send(Frame.data, flags, stream, text);
  }

  /** The first frame that `isMeant`, also of those that came already; undefined when none comes. */
  async find(isMeant: (frame: ReceivedFrame) => boolean): Promise<ReceivedFrame | undefined> {
    const deadlineMs = performance.now() + WAIT_MS;
    for (;;) {
      const found = this.received.find(isMeant);
      const leftMs = deadlineMs - performance.now();
      if (found || this.isClosed || leftMs <= 0) return found;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  /** What becomes of a stream: its status, or the code it was reset with. */
  async fateOf(stream: number): Promise<string> {
    const found = await this.find(
      (one) =>
        (one.stream === stream && (one.type === Frame.headers || one.type === Frame.reset)) ||
        one.type === Frame.goaway,
    );
    if (found === undefined) return this.isClosed ? 'closed' : 'nothing';
    return nameOf(found);
  }

  /** The code that the connection ends with. */
  async lastWord(): Promise<string> {
    const found = await this.find(({ type }) => type === Frame.goaway);
    return found === undefined ? (this.isClosed ? 'closed' : 'nothing') : nameOf(found);
  }

  close(): void {
    this.socket.destroy();
  }

  #take(bytes: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, bytes]);
    while (this.#bytes.length >= HEAD_BYTES) {
      const end = HEAD_BYTES + this.#bytes.readUIntBE(0, 3);
      if (this.#bytes.length < end) break;
      const [type = 0, flags = 0] = this.#bytes.subarray(3, 5);
      const stream = this.#bytes.readUInt32BE(5);
      this.received.push({ type, flags, stream, payload: this.#bytes.subarray(HEAD_BYTES, end) });
      this.#bytes = this.#bytes.subarray(end);
    }
    this.#wake();
  }
}

export function frame(
  type: number,
  flags: number,
  stream: number,
  payload: Buffer | string = '',
): Buffer {
  const bytes = Buffer.from(payload as string, 'latin1');
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUIntBE(bytes.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, bytes]);
}

/** Literals without indexing and without Huffman (RFC 7541 section 6.2.2). */
export const block = (fields: Fields): Buffer =>
  Buffer.concat(fields.flatMap(([name, value]) => [Buffer.from([0]), text(name), text(value)]));

export const setting = (id: number, value: number): Buffer => {
  const bytes = Buffer.alloc(6);
  bytes.writeUInt16BE(id, 0);
  bytes.writeUInt32BE(value, 2);
  return bytes;
};

export const uint32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value, 0);
  return bytes;
};

/** A length in a prefix of 7 bits (RFC 7541 section 5.1), then the octets. */
function text(value: string): Buffer {
  const octets = Buffer.from(value, 'latin1');
  if (octets.length < 127) return Buffer.concat([Buffer.from([octets.length]), octets]);
  const length = [127];
  let left = octets.length - 127;
  for (; left >= 128; left = Math.floor(left / 128)) length.push((left % 128) | 128);
  return Buffer.concat([Buffer.from([...length, left]), octets]);
}

const CODES = Object.fromEntries(Object.entries(ErrorCode).map(([name, code]) => [code, name]));
/** The static table has these from 8 on (RFC 7541 appendix A). */
const STATUSES = ['200', '204', '206', '304', '400', '404', '500'];

function nameOf({ type, payload }: ReceivedFrame): string {
  if (type === Frame.goaway) return `goaway ${CODES[payload.readUInt32BE(4)]}`;
  if (type === Frame.reset) return `reset ${CODES[payload.readUInt32BE(0)]}`;
  return STATUSES[(payload[0] ?? 0) - 0x88] ?? 'other status';
}
