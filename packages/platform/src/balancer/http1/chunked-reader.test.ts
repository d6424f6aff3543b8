import { describe, expect, it } from 'vitest';
import { ChunkedReader } from './chunked-reader.ts';
import { Fault } from './field-scanner.ts';

interface Read {
  readonly data: string;
  readonly passed: string;
  readonly trailers: string;
  readonly isDone: boolean;
  readonly rest: string;
}

/** Reads `text` in pieces of `size`. */
function read(text: string, size = text.length): Read | 'fault' {
  const reader = new ChunkedReader();
  let [data, passed, at] = ['', '', 0];
  const rangesOf = (bytes: Buffer, ranges: readonly number[]): string => {
    let found = '';
    for (let index = 0; index < ranges.length; index += 2)
      found += bytes.toString('latin1', ranges[index], ranges[index + 1]);
    return found;
  };
  while (at < text.length && !reader.isDone) {
    // In the middle of other bytes, as on a connection.
    const piece = Buffer.from(`##${text.slice(at, at + size)}`, 'latin1');
    const end = reader.read(piece, 2, piece.length);
    if (end < 0) return 'fault';
    data += rangesOf(piece, reader.data);
    passed += rangesOf(piece, reader.passed);
    at += end - 2;
  }
  if (reader.isDone && !reader.hasPassedEnd) passed += `${reader.trailers}\r\n`;
  return { data, passed, trailers: reader.trailers, isDone: reader.isDone, rest: text.slice(at) };
}

const SIZES = [1, 2, 3, 7, 1_000];

describe('a chunked body', () => {
  it.each(SIZES)('is found in pieces of %i, and passes as it is', (size) => {
    const text = '5\r\nhello\r\n1\r\n \r\n05\r\nworld\r\n0\r\n\r\n';
    expect(read(`${text}GET /`, size)).toEqual({
      ...{ data: 'hello world', passed: text, trailers: '', isDone: true, rest: 'GET /' },
    });
  });

  it.each(SIZES)('loses its extensions, in pieces of %i', (size) => {
    const text = '2;a=b\r\nab\r\n3 ;c="d;\te"\r\ncde\r\n0;last\r\n\r\n';
    expect(read(text, size)).toMatchObject({
      ...{ data: 'abcde', passed: '2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n', isDone: true },
    });
  });

  it.each(SIZES)('keeps harmless trailers, in pieces of %i', (size) => {
    const forged =
      'Content-Length: 1\r\nHost: b\r\nX-Forwarded-For: c\r\nTransfer-Encoding: chunked\r\n';
    expect(read(`1\r\na\r\n0\r\nX-Sum: 7\r\n${forged}X_Y: d\r\nETag: e\r\n\r\nrest`, size)).toEqual(
      {
        data: 'a',
        passed: '1\r\na\r\n0\r\nX-Sum: 7\r\nETag: e\r\n\r\n',
        trailers: 'X-Sum: 7\r\nETag: e\r\n',
        isDone: true,
        rest: 'rest',
      },
    );
  });

  it('takes sizes in both cases', () => {
    expect(read(`A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n`)).toMatchObject({ isDone: true });
  });

  it.each([
    ...['zz\r\n', '-1\r\na', '+1\r\na', '0x1\r\na', ' 1\r\na', '\r\n', ';a\r\n', '1\na\r\n'],
    ...['1\r\nab\r\n', '1\r\na\n', '1\r\na\rX', '1\rX', 'fffffffffffff\r\n', '1 a\0\r\n'],
    ...[
      '1;a\nb\r\n',
      '1;a\rb',
      `1;${'a'.repeat(17_000)}\r\n`,
      '1 1\r\na',
      '1 ;\n',
      '0\r\nA : b\r\n\r\n',
    ],
    ...['0\r\nA: b\n\r\n', '0\r\n A: b\r\n\r\n', '0\r\n\rX', `0\r\n${'A: b\r\n'.repeat(65)}\r\n`],
  ])('is not %j', (text) => {
    for (const size of SIZES) expect(read(text, size), String(size)).toBe('fault');
  });

  it('ends trailers that do not end', () => {
    const reader = new ChunkedReader();
    const line = Buffer.from(`A: ${'b'.repeat(1_000)}\r\n`);
    let end = reader.read(Buffer.from('0\r\n'), 0, 3);
    for (let n = 0; n < 20 && end >= 0; n += 1) end = reader.read(line, 0, line.length);
    expect(end).toBe(Fault.tooMany);
  });
});
