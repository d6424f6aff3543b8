import { describe, expect, it } from 'vitest';
import {
  RUN_PAYLOAD_BYTES_MAX,
  RunFrameDecoder,
  encodeRunFrame,
  encodeRunJson,
} from './run-frames.ts';

const decodeIn = (bytes: Buffer, stepBytes: number): string[] => {
  const decoder = new RunFrameDecoder();
  const frames: string[] = [];
  for (let at = 0; at < bytes.length; at += stepBytes) {
    for (const { channel, payload } of decoder.push(bytes.subarray(at, at + stepBytes))) {
      frames.push(`${channel}:${payload.toString()}`);
    }
  }
  return frames;
};

describe('run frames', () => {
  const bytes = Buffer.concat([
    encodeRunJson('start', { command: ['ls'] }),
    encodeRunFrame('stdin', Buffer.from('ä')),
    encodeRunFrame('stdin', Buffer.alloc(0)),
    encodeRunFrame('output', Buffer.from('x'.repeat(300))),
  ]);

  it.each([1, 2, 5, 7, 64, 10_000])('come out whole when they come in by %i bytes', (step) => {
    expect(decodeIn(bytes, step)).toEqual([
      'start:{"command":["ls"]}',
      'stdin:ä',
      'stdin:',
      `output:${'x'.repeat(300)}`,
    ]);
  });

  it('refuse an unknown channel, also before its payload is there', () => {
    expect(() => new RunFrameDecoder().push(Buffer.from([9, 0, 0, 0, 1]))).toThrow(
      'unknown channel',
    );
  });

  it('refuse a length beyond the limit before it is waited for', () => {
    const head = Buffer.alloc(5);
    head.writeUInt32BE(RUN_PAYLOAD_BYTES_MAX + 1, 1);
    expect(() => new RunFrameDecoder().push(head)).toThrow('too long');
  });
});
