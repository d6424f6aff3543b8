// A connection to an instance, read into memory of its own: what arrives goes on to the client from
// where the kernel put it, with the head of the answer written before it.
import { connect, type Socket } from 'node:net';
import { clock } from './clock.ts';

export type Address =
  { readonly host: string; readonly port: number } | { readonly socketPath: string };

/** Who uses the connection at the moment. */
export interface UpstreamConsumer {
  /**
   * `bytes` from `start` to `end`; what is before `start` is free to write into. All of it may be
   * overwritten after the call, unless `keepBytes` was called in it.
   */
  onUpstreamData(bytes: Buffer, start: number, end: number): void;
  /** What was written has left. */
  onUpstreamDrain(): void;
  /** The other end sends no more. */
  onUpstreamEnd(): void;
  /** Nothing more happens; `error` unless it was orderly. */
  onUpstreamClose(error: NodeJS.ErrnoException | undefined): void;
}

const READ_BYTES = 64 * 1024;
/** Room for the head of an answer, which we write longer than we read it. */
const HEADROOM_BYTES = 1_024;

export class UpstreamConnection {
  readonly socket: Socket;
  /** It carried a request before. */
  reused = false;
  idleSinceMs = 0;
  consumer: UpstreamConsumer | undefined;
  #bytes = Buffer.allocUnsafeSlow(HEADROOM_BYTES + READ_BYTES);
  #given: Buffer | undefined;
  #error: NodeJS.ErrnoException | undefined;
  #isOver = false;
  #isTaking = false;

  /** `onConnect` runs at most once, `onClose` once for all. */
  constructor(
    address: Address,
    on: { readonly connect: () => void; readonly close: (error?: NodeJS.ErrnoException) => void },
  ) {
    this.socket = connect({
      ...('socketPath' in address ? { path: address.socketPath } : address),
      noDelay: true,
      allowHalfOpen: true,
      autoSelectFamily: false,
      onread: {
        // Undefined, which the types do not know, leaves the buffer as it is.
        buffer: () => this.#nextBuffer() as Buffer,
        callback: (count) => this.#take(count),
      },
    });
    this.socket
      .on('connect', () => {
        clock.tick();
        on.connect();
      })
      .on('drain', () => this.consumer?.onUpstreamDrain())
      .on('end', () => this.#end())
      .on('error', (error) => (this.#error = error))
      .on('close', () => {
        clock.tick();
        on.close(this.#error);
        this.consumer?.onUpstreamClose(this.#error);
      })
      // 'end' is told to those who read on.
      .resume();
  }

  get usable(): boolean {
    return !this.#isOver && !this.socket.destroyed && this.socket.writable;
  }

  /** To be called in `onUpstreamData` by who goes on using its bytes; at other times it means nothing. */
  keepBytes(): void {
    if (!this.#isTaking) return;
    this.#bytes = Buffer.allocUnsafeSlow(HEADROOM_BYTES + READ_BYTES);
    this.#given = undefined;
  }

  destroy(error?: Error): void {
    this.socket.destroy(error);
  }

  #nextBuffer(): Buffer | undefined {
    if (this.#given !== undefined) return undefined;
    this.#given = this.#bytes.subarray(HEADROOM_BYTES);
    return this.#given;
  }

  #take(count: number): boolean {
    // Of bytes nobody asked for no request can be the reason.
    if (this.consumer === undefined) this.destroy();
    else {
      clock.tick();
      this.#isTaking = true;
      this.consumer.onUpstreamData(this.#bytes, HEADROOM_BYTES, HEADROOM_BYTES + count);
      this.#isTaking = false;
    }
    return true;
  }

  #end(): void {
    clock.tick();
    this.#isOver = true;
    if (this.consumer === undefined) this.destroy();
    else this.consumer.onUpstreamEnd();
  }
}
