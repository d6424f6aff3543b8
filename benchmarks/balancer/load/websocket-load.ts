// `websocket-load.ts OPTIONS-AS-JSON`: connections that each send a masked frame, wait for its echo,
// send the next. Prints how many came back.
import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

export interface WebSocketLoadOptions {
  readonly port: number;
  readonly host: string;
  readonly connections: number;
  readonly seconds: number;
}

export interface WebSocketLoadReport {
  readonly messages: number;
  readonly seconds: number;
}

const PAYLOAD = Buffer.from('a message as a chat has them....');
const HANDSHAKE_MS = 10_000;
const TEXT_FRAME = 0x81;

const options = JSON.parse(process.argv[2] ?? '{}') as WebSocketLoadOptions;
const asked = maskedFrame(PAYLOAD);
const echoed = Buffer.concat([Buffer.from([TEXT_FRAME, PAYLOAD.length]), PAYLOAD]);
let messages = 0;
let isEnding = false;

const sockets = await Promise.all(Array.from({ length: options.connections }, open));
const beganMs = performance.now();
for (const socket of sockets) pingPong(socket);
await delay(options.seconds * 1_000);
isEnding = true;
const report: WebSocketLoadReport = { messages, seconds: (performance.now() - beganMs) / 1_000 };
process.stdout.write(`${JSON.stringify(report)}\n`);
for (const socket of sockets) socket.destroy();

/** Resolves once the proxy has switched protocols. */
async function open(): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const socket = connect({ port: options.port, host: '127.0.0.1', noDelay: true });
  const timer = setTimeout(() => reject(new Error('no handshake in time')), HANDSHAKE_MS);
  socket.once('error', reject);
  let head = '';
  socket.on('data', (chunk: Buffer) => {
    head += chunk.toString('latin1');
    if (!head.includes('\r\n\r\n')) return;
    clearTimeout(timer);
    if (head.startsWith('HTTP/1.1 101 ')) resolve(socket);
    else reject(new Error(`no WebSocket: ${head.slice(0, 200)}`));
  });
  const key = randomBytes(16).toString('base64');
  const upgrade = 'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13';
  socket.write(
    `GET / HTTP/1.1\r\nHost: ${options.host}\r\n${upgrade}\r\nSec-WebSocket-Key: ${key}\r\n\r\n`,
  );
  await promise;
  socket.removeAllListeners('data');
  return socket;
}

function pingPong(socket: Socket): void {
  let rest: Buffer = Buffer.alloc(0);
  socket.on('close', () => {
    if (!isEnding) fail('a connection was closed');
  });
  socket.on('data', (chunk: Buffer) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    while (rest.length >= echoed.length) {
      if (!rest.subarray(0, echoed.length).equals(echoed)) fail('another frame came back');
      rest = rest.subarray(echoed.length);
      messages += 1;
      socket.write(asked);
    }
  });
  socket.write(asked);
}

/** RFC 6455, section 5.2; short payloads only. */
function maskedFrame(payload: Buffer): Buffer {
  const mask = randomBytes(4);
  const masked = payload.map((byte, index) => byte ^ (mask[index & 3] ?? 0));
  return Buffer.concat([Buffer.from([TEXT_FRAME, 0x80 | payload.length]), mask, masked]);
}

function fail(what: string): never {
  throw new Error(`WebSocket: ${what}`);
}
