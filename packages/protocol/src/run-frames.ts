// Frames of `tandem run`, both ways: one byte of channel, four bytes of big-endian length, payload.

export const RUN_PROTOCOL = 'tandem-run';

export const RUN_CHANNEL = {
  /** To the server; an empty payload is the end of input. */
  stdin: 0,
  /** To the client: what the command writes. */
  output: 1,
  /** To the server: TerminalSize as JSON. */
  resize: 2,
  /** To the client, last: RunExit as JSON. */
  exit: 3,
  /** To the client, last: ErrorBody as JSON. */
  error: 4,
  /** To the server, first: RunRequest as JSON. */
  start: 5,
} as const;
export type RunChannel = keyof typeof RUN_CHANNEL;

export interface RunFrame {
  readonly channel: RunChannel;
  readonly payload: Buffer;
}

export const RUN_PAYLOAD_BYTES_MAX = 1024 * 1024;
const HEAD_BYTES = 5;

const CHANNEL_NAMES = new Map(
  Object.entries(RUN_CHANNEL).map(([name, byte]) => [byte as number, name as RunChannel]),
);

export function encodeRunFrame(channel: RunChannel, payload: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(HEAD_BYTES + payload.length);
  frame.writeUInt8(RUN_CHANNEL[channel], 0);
  frame.writeUInt32BE(payload.length, 1);
  frame.set(payload, HEAD_BYTES);
  return frame;
}

export function encodeRunJson(channel: RunChannel, value: unknown): Buffer {
  return encodeRunFrame(channel, Buffer.from(JSON.stringify(value)));
}

/** Takes the bytes as they come and gives the frames that are whole. Throws on what is no frame. */
export class RunFrameDecoder {
  #pending: Buffer = Buffer.alloc(0);

  push(chunk: Buffer): RunFrame[] {
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    const frames: RunFrame[] = [];
    for (let frame = this.#take(); frame !== undefined; frame = this.#take()) frames.push(frame);
    return frames;
  }

  #take(): RunFrame | undefined {
    if (this.#pending.length < HEAD_BYTES) return undefined;
    const channel = CHANNEL_NAMES.get(this.#pending.readUInt8(0));
    const length = this.#pending.readUInt32BE(1);
    if (channel === undefined) throw new Error('a run frame names an unknown channel');
    if (length > RUN_PAYLOAD_BYTES_MAX)
      throw new Error(`a run frame of ${length} bytes is too long`);
    if (this.#pending.length < HEAD_BYTES + length) return undefined;
    const payload = this.#pending.subarray(HEAD_BYTES, HEAD_BYTES + length);
    this.#pending = this.#pending.subarray(HEAD_BYTES + length);
    return { channel, payload };
  }
}
