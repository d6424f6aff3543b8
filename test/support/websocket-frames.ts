// Frames of RFC 6455, written and read byte by byte: tests choose what a library would not let them.
import { randomBytes } from 'node:crypto';

export const OPCODE = {
  ...{ continuation: 0, text: 1, binary: 2 },
  ...{ close: 8, ping: 9, pong: 10 },
} as const;

export interface Frame {
  readonly opcode: number;
  readonly isFinal: boolean;
  /** RSV1 says that an extension made the payload: permessage-deflate. */
  readonly rsv1: boolean;
  readonly isMasked: boolean;
  readonly payload: Buffer;
}

export interface FrameOptions {
  readonly isFinal?: boolean;
  readonly rsv1?: boolean;
  /** As clients must. */
  readonly isMasked?: boolean;
}

export function encodeFrame(
  opcode: number,
  payload: Buffer | string,
  { isFinal = true, rsv1 = false, isMasked = false }: FrameOptions = {},
): Buffer {
  const data = Buffer.from(payload);
  const first = (isFinal ? 0x80 : 0) | (rsv1 ? 0x40 : 0) | opcode;
  const head = Buffer.from([first, ...lengthBytes(data.length, isMasked ? 0x80 : 0)]);
  if (!isMasked) return Buffer.concat([head, data]);
  const mask = randomBytes(4);
  return Buffer.concat([head, mask, applyMask(data, mask)]);
}

/** A close frame with its code and reason. */
export function closePayload(code: number, reason = ''): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(code);
  return Buffer.concat([bytes, Buffer.from(reason)]);
}

function lengthBytes(length: number, maskBit: number): Buffer {
  if (length < 126) return Buffer.from([maskBit | length]);
  const bytes = Buffer.alloc(length < 65_536 ? 3 : 9);
  bytes[0] = maskBit | (length < 65_536 ? 126 : 127);
  if (length < 65_536) bytes.writeUInt16BE(length, 1);
  else bytes.writeBigUInt64BE(BigInt(length), 1);
  return bytes;
}

function applyMask(data: Buffer, mask: Buffer): Buffer {
  const masked = Buffer.from(data);
  for (let index = 0; index < masked.length; index += 1)
    masked[index] = (masked[index] ?? 0) ^ (mask[index % 4] ?? 0);
  return masked;
}

/** Takes bytes in any pieces, gives whole frames. */
export class FrameReader {
  #chunks: Buffer[] = [];
  #length = 0;
  /** Bytes that the frame at hand needs, as far as is known. */
  #needed = 2;

  push(chunk: Buffer): Frame[] {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    const frames: Frame[] = [];
    while (this.#length >= this.#needed) {
      const bytes = Buffer.concat(this.#chunks);
      const { frame, size } = decode(bytes);
      this.#needed = frame ? 2 : size;
      const rest = frame ? bytes.subarray(size) : bytes;
      this.#chunks = [rest];
      this.#length = rest.length;
      if (frame) frames.push(frame);
    }
    return frames;
  }
}

/** The frame at the start of `bytes`, or how many bytes it takes to see more. */
function decode(bytes: Buffer): { frame?: Frame; size: number } {
  const [first = 0, second = 0] = bytes;
  const short = second & 0x7f;
  const isMasked = (second & 0x80) !== 0;
  const extended = short === 126 ? 2 : short === 127 ? 8 : 0;
  const dataStart = 2 + extended + (isMasked ? 4 : 0);
  if (bytes.length < dataStart) return { size: dataStart };
  const long = extended === 8 ? Number(bytes.readBigUInt64BE(2)) : undefined;
  const length = long ?? (extended === 2 ? bytes.readUInt16BE(2) : short);
  const size = dataStart + length;
  if (bytes.length < size) return { size };
  const data = bytes.subarray(dataStart, size);
  const payload = isMasked ? applyMask(data, bytes.subarray(dataStart - 4, dataStart)) : data;
  const flags = { isFinal: (first & 0x80) !== 0, rsv1: (first & 0x40) !== 0, isMasked };
  return { frame: { opcode: first & 0x0f, ...flags, payload: Buffer.from(payload) }, size };
}
