// A request to switch to WebSocket, on the client's side: until the app agrees it is an exchange as
// any other, then a tunnel.
import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { TrustedPeers } from './client-origin.ts';
import { IncomingExchange, STATUS_CLIENT_GONE } from './incoming-exchange.ts';
import { type Refusal, renderRefusal } from './refusal.ts';

export class TunnelExchange extends IncomingExchange {
  readonly socket: Duplex;
  /** What the client sent right behind its head; for the app, once it agreed. */
  readonly early: Buffer;
  /** The handshake is a GET without body. */
  readonly repeatable = true;
  #status: number | undefined;

  constructor(request: IncomingMessage, socket: Duplex, early: Buffer, peers: TrustedPeers) {
    super(request, peers);
    this.socket = socket;
    this.early = early;
    socket.on('error', () => socket.destroy());
    socket.once('close', () => this.end.abort());
  }

  get answered(): boolean {
    return this.#status !== undefined;
  }

  protected get status(): number {
    return this.#status ?? STATUS_CLIENT_GONE;
  }

  refuse(refusal: Refusal): void {
    if (this.answered || this.socket.destroyed) return;
    const answer = renderRefusal(refusal, {
      accept: this.header('accept'),
      requestId: this.requestId,
    });
    this.writeHead(refusal.status, undefined, [...answer.headers, 'Connection', 'close']);
    this.bytesSent = answer.body.length;
    this.socket.end(answer.body);
  }

  writeHead(status: number, message: string | undefined, headers: readonly string[]): void {
    this.#status = status;
    let head = `HTTP/1.1 ${status} ${message ?? STATUS_CODES[status] ?? ''}\r\n`;
    for (let index = 0; index + 1 < headers.length; index += 2)
      head += `${headers[index]}: ${headers[index + 1]}\r\n`;
    this.socket.write(`${head}\r\n`, 'latin1');
  }
}
