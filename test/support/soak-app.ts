// An app with everything that happens to a balancer: answers of all framings, large ones, echoes over an
// upgraded connection, answers that break off, connections that die.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

export const SMALL = 'hello';
export const CHUNKS = 20;
export const LARGE_BYTES = 512 * 1024;

const LARGE = Buffer.alloc(LARGE_BYTES, 'x');
const CHUNK = 'c'.repeat(1_000);

export interface SoakApp {
  readonly port: number;
  close(): Promise<void>;
}

export async function startSoakApp(): Promise<SoakApp> {
  const sockets = new Set<Socket>();
  const server = createServer(respond);
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).once('close', () => sockets.delete(socket));
  });
  server.on('upgrade', (_, socket) => {
    socket.write('HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    socket.on('error', () => undefined).pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

function respond(request: IncomingMessage, response: ServerResponse): void {
  switch (request.url) {
    case '/chunked':
      for (let n = 0; n < CHUNKS; n += 1) response.write(CHUNK);
      return void response.end();
    case '/large':
      return void response.end(LARGE);
    case '/early':
      return void response.writeHead(403).end();
    case '/dies':
      return void request.socket.destroy();
    case '/breaks-off':
      response.writeHead(200, { 'Content-Length': LARGE_BYTES });
      response.write(LARGE.subarray(0, LARGE_BYTES / 4));
      return void setTimeout(() => request.socket.resetAndDestroy(), 5);
    case '/slow':
      return void setTimeout(() => response.end(SMALL), 40);
    case '/length': {
      let bytes = 0;
      request.on('data', (chunk: Buffer) => (bytes += chunk.length));
      return void request.once('end', () => response.end(String(bytes)));
    }
    case undefined:
    default:
      return void response.end(SMALL);
  }
}
