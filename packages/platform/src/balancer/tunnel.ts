// Bytes both ways once client and app speak WebSocket: no framing, back-pressure, half-closed ends.
import type { Socket } from 'node:net';
import type { UpstreamConnection, UpstreamConsumer } from './upstream-connection.ts';

/** The client's end. */
export interface ClientTunnelEnd {
  /** Where what the client says goes. What it said already goes at once. */
  connect(other: ClientTunnelListener): void;
  /** False: no more until `onClientDrain`. */
  write(bytes: Buffer): boolean;
  /** Still reads `bytes` last written. */
  readonly holdsBytes: boolean;
  /** The app said its last word. */
  end(): void;
  pause(): void;
  resume(): void;
  destroy(): void;
}

export interface ClientTunnelListener {
  onClientData(bytes: Buffer): void;
  onClientDrain(): void;
  onClientEnd(): void;
  onClientClose(): void;
}

/** Of a connection that speaks nothing but the tunnel any more; `connect` hears its events. */
export class SocketTunnelEnd implements ClientTunnelEnd {
  readonly connect: (listener: ClientTunnelListener) => void;
  readonly #socket: Socket;

  constructor(socket: Socket, connect: (listener: ClientTunnelListener) => void) {
    this.#socket = socket;
    this.connect = connect;
  }

  get holdsBytes(): boolean {
    return this.#socket.writableLength > 0;
  }

  write(bytes: Buffer): boolean {
    return this.#socket.write(bytes);
  }

  end(): void {
    this.#socket.end();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  destroy(): void {
    this.#socket.destroy();
  }
}

export class Tunnel implements UpstreamConsumer, ClientTunnelListener {
  readonly #client: ClientTunnelEnd;
  readonly #upstream: UpstreamConnection;
  readonly #on: { readonly sent: (bytes: number) => void; readonly over: () => void };
  #isClientOver = false;
  #isUpstreamOver = false;

  /** `over` runs once both ends are closed. */
  constructor(
    client: ClientTunnelEnd,
    upstream: UpstreamConnection,
    on: { readonly sent: (bytes: number) => void; readonly over: () => void },
  ) {
    this.#client = client;
    this.#upstream = upstream;
    this.#on = on;
    upstream.consumer = this;
    client.connect(this);
  }

  onUpstreamData(bytes: Buffer, start: number, end: number): void {
    this.#on.sent(end - start);
    if (!this.#client.write(bytes.subarray(start, end))) this.#upstream.socket.pause();
    if (this.#client.holdsBytes) this.#upstream.keepBytes();
  }

  onUpstreamDrain(): void {
    this.#client.resume();
  }

  onUpstreamEnd(): void {
    this.#client.end();
  }

  onUpstreamClose(error: Error | undefined): void {
    this.#isUpstreamOver = true;
    // What the app said last is still on its way to the client, unless it was cut off.
    if (error) this.#client.destroy();
    else this.#client.end();
    this.#checkOver();
  }

  onClientData(bytes: Buffer): void {
    if (!this.#upstream.socket.write(bytes)) this.#client.pause();
  }

  onClientDrain(): void {
    this.#upstream.socket.resume();
  }

  onClientEnd(): void {
    this.#upstream.socket.end();
  }

  onClientClose(): void {
    this.#isClientOver = true;
    this.#upstream.destroy();
    this.#checkOver();
  }

  #checkOver(): void {
    if (this.#isClientOver && this.#isUpstreamOver) this.#on.over();
  }
}
