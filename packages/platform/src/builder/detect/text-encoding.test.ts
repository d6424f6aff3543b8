import { describe, expect, it } from 'vitest';
import { decodeText } from './text-encoding.ts';

describe('decodeText', () => {
  it.each([
    ['UTF-8', Buffer.from('café\n')],
    ['UTF-8 with a byte order mark', Buffer.from('\ufeffcafé\n')],
    ['UTF-16, little endian', Buffer.from('\ufeffcafé\n', 'utf16le')],
    ['UTF-16, big endian', Buffer.from('\ufeffcafé\n', 'utf16le').swap16()],
    ['latin-1', Buffer.from('café\n', 'latin1')],
  ])('reads %s', (_, bytes) => {
    expect(decodeText(bytes)).toBe('café\n');
  });

  it('makes something of what is broken', () => {
    expect(decodeText(Buffer.from([0xfe, 0xff, 0x00]))).toBe('');
    expect(decodeText(Buffer.alloc(0))).toBe('');
  });
});
