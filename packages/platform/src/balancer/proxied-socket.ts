// A connection that must begin with a PROXY header: the header is taken off it before anybody else sees
// a byte. What it carries then, HTTP or TLS, is not known here.
import type { Socket } from 'node:net';
import { clock } from './clock.ts';
import { plainAddress, type TrustedPeers } from './client-origin.ts';
import type { Deadlines, Waiting } from './deadlines.ts';
import { type ProxySource, readProxyHeader } from './proxy-protocol.ts';

export interface ProxiedSocketOptions {
  /** Whose header is believed; nobody else is listened to. */
  readonly peers: TrustedPeers;
  readonly deadlines: Deadlines;
  readonly timeoutMs: number;
  /**
   * The header was read; the socket is paused, and what came behind it is what it gives first.
   * `source`: whom the proxy speaks for, if it says.
   */
  readonly onReady: (source: ProxySource | undefined) => void;
  /** The connection is closed; why, for people. */
  readonly onRefused: (reason: string) => void;
}

export class ProxiedSocket implements Waiting {
  deadlineMs: number;
  readonly isIdle = true;
  readonly isTunnel = false;
  readonly #socket: Socket;
  readonly #options: ProxiedSocketOptions;
  #input: Buffer | undefined = undefined;

  constructor(socket: Socket, options: ProxiedSocketOptions) {
    this.#socket = socket;
    this.#options = options;
    this.deadlineMs = options.deadlines.after(options.timeoutMs);
    options.deadlines.add(this);
    socket.on('data', this.#take).on('end', this.#ended);
    socket.on('error', this.#failed).on('close', this.#closed);
    const proxy = plainAddress(socket.remoteAddress);
    if (!options.peers.has(proxy)) this.#refuse('who connects is no trusted peer');
  }

  onDeadline(): void {
    this.#refuse('its header did not come in time');
  }

  /** It has asked for nothing yet. */
  closeSoon(): void {
    this.destroy();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  readonly #take = (bytes: Buffer): void => {
    clock.tick();
    const input = this.#input === undefined ? bytes : Buffer.concat([this.#input, bytes]);
    this.#input = input;
    const header = readProxyHeader(input);
    if (header.kind === 'invalid') return this.#refuse('it does not begin with a PROXY header');
    if (header.kind === 'incomplete') return;
    this.#letGo();
    // Flowing, it would lose what is put back before a TLSSocket looks for it.
    this.#socket.pause();
    if (header.end < input.length) this.#socket.unshift(input.subarray(header.end));
    this.#options.onReady(header.source);
  };

  readonly #ended = (): void => this.#refuse('it ended before its header');

  readonly #failed = (): void => this.destroy();

  readonly #closed = (): void => this.#letGo();

  #letGo(): void {
    this.#options.deadlines.remove(this);
    this.#socket.off('data', this.#take).off('end', this.#ended);
    this.#socket.off('error', this.#failed).off('close', this.#closed);
  }

  #refuse(reason: string): void {
    this.#options.onRefused(reason);
    this.destroy();
  }
}
