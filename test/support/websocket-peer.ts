// One end of a WebSocket, as a client through the balancer or as the app behind it.
import { createHash } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { type Backend, rawBackend } from './balancer-server.ts';
import { encodeFrame, type Frame, type FrameOptions, FrameReader } from './websocket-frames.ts';

const WAIT_MS = 5_000;
const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

export class WebSocketPeer {
  readonly socket: Socket;
  /** Of the other side's handshake. */
  readonly head: string;
  readonly #isClient: boolean;
  readonly #reader = new FrameReader();
  readonly #frames: Frame[] = [];
  #ended = false;
  #wake: () => void = () => undefined;

  constructor(socket: Socket, head: string, isClient: boolean, early: Buffer) {
    this.socket = socket;
    this.head = head;
    this.#isClient = isClient;
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => this.#took(chunk));
    socket.on('end', () => this.#finish()).on('close', () => this.#finish());
    if (early.length > 0) this.#took(early);
    socket.resume();
  }

  get ended(): boolean {
    return this.#ended;
  }

  send(opcode: number, payload: Buffer | string = '', options: FrameOptions = {}): boolean {
    return this.socket.write(
      encodeFrame(opcode, payload, { isMasked: this.#isClient, ...options }),
    );
  }

  async frame(): Promise<Frame> {
    await this.#wait(() => this.#frames.length > 0, 'a frame');
    return this.#frames.shift() as Frame;
  }

  /** Until the other end says that nothing more will come. */
  end(): Promise<void> {
    return this.#wait(() => this.#ended, 'the end');
  }

  async #wait(isThere: () => boolean, what: string): Promise<void> {
    const deadlineMs = performance.now() + WAIT_MS;
    while (!isThere()) {
      const leftMs = deadlineMs - performance.now();
      if (this.#ended || leftMs <= 0) throw new Error(`${what} did not come`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  #took(chunk: Buffer): void {
    this.#frames.push(...this.#reader.push(chunk));
    this.#wake();
  }

  #finish(): void {
    this.#ended = true;
    this.#wake();
  }
}

export interface Handshake {
  /** Header lines of ours beyond the usual ones. */
  readonly headers?: string;
  /** Written in one go with the handshake. */
  readonly early?: Buffer;
}

/** A client after its handshake with whatever is behind `port`. */
export async function openWebSocket(
  port: number,
  { headers = '', early = Buffer.alloc(0) }: Handshake = {},
): Promise<WebSocketPeer> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  const handshake =
    'GET /chat HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
    `Sec-WebSocket-Key: ${KEY}\r\nSec-WebSocket-Version: 13\r\n${headers}\r\n`;
  socket.write(Buffer.concat([Buffer.from(handshake), early]));
  const { head, rest } = await readHead(socket);
  if (!head.startsWith('HTTP/1.1 101 ')) throw new Error(`no WebSocket: ${head}`);
  return new WebSocketPeer(socket, head, true, rest);
}

/** An app that agrees to every WebSocket and hands over its end. */
export async function webSocketApp(
  onPeer: (peer: WebSocketPeer) => void,
  { headers = '', early = Buffer.alloc(0) }: Handshake = {},
): Promise<Backend> {
  return rawBackend((socket) => {
    socket.allowHalfOpen = true;
    const answer = ({ head, rest }: { head: string; rest: Buffer }): void => {
      const key = /\r\nSec-WebSocket-Key: (.*)\r\n/i.exec(head)?.[1] ?? '';
      const accept = createHash('sha1').update(`${key}${GUID}`).digest('base64');
      const agreed =
        'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
        `Sec-WebSocket-Accept: ${accept}\r\n${headers}\r\n`;
      socket.write(Buffer.concat([Buffer.from(agreed), early]));
      onPeer(new WebSocketPeer(socket, head, false, rest));
    };
    readHead(socket).then(answer, () => undefined);
  });
}

/** Leaves the socket paused, so that nothing is lost until a peer listens. */
function readHead(socket: Socket): Promise<{ head: string; rest: Buffer }> {
  return new Promise((resolve, reject) => {
    let bytes = Buffer.alloc(0);
    const take = (chunk: Buffer): void => {
      bytes = Buffer.concat([bytes, chunk]);
      const end = bytes.indexOf('\r\n\r\n');
      if (end < 0) return;
      socket.off('data', take).pause();
      resolve({ head: bytes.toString('latin1', 0, end + 4), rest: bytes.subarray(end + 4) });
    };
    socket.on('data', take).once('close', () => reject(new Error('closed in the handshake')));
  });
}
