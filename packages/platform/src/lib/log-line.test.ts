import { describe, expect, it } from 'vitest';
import { characterEnd, formatLogLines, parseLogLine } from './log-line.ts';

const AT_MS = Date.UTC(2026, 10, 24, 5, 44, 43);
const parse = (line: string) => parseLogLine(Buffer.from(line));

describe('parseLogLine', () => {
  it('reads what conmon writes', () => {
    const line = parse('2026-11-24T05:44:43.123456789+00:00 stderr P some text ');
    expect(line).toMatchObject({ stream: 'stderr', partial: true });
    expect(line?.text.toString()).toBe('some text ');
    expect(line?.atMs).toBeCloseTo(AT_MS + 123.456, 2);
  });

  it.each([
    ['an empty text', '2026-11-24T05:44:43.123456789+00:00 stdout F ', ''],
    ['no text', '2026-11-24T05:44:43.123456789+00:00 stdout F', ''],
    ['text like a head', '2026-11-24T05:44:43.1+00:00 stdout F 2026-11-24T', '2026-11-24T'],
    ['leading spaces', '2026-11-24T05:44:43.1+00:00 stdout F   x', '  x'],
    ['no fraction', '2026-11-24T05:44:43Z stdout F x', 'x'],
    ['carriage returns and NUL', '2026-11-24T05:44:43Z stdout F a\r\0b\r', 'a\r\0b\r'],
  ])('takes %s', (_case, line, text) => {
    expect(parse(line)?.text.toString()).toBe(text);
  });

  it('understands zones', () => {
    expect(parse('2026-11-24T07:14:43+01:30 stdout F x')?.atMs).toBe(AT_MS);
    expect(parse('2026-11-24T00:44:43-05:00 stdout F x')?.atMs).toBe(AT_MS);
  });

  it('keeps the order of lines a microsecond apart', () => {
    const [first, second] = ['000001', '000002'].map(
      (micros) => parse(`2026-11-24T05:44:43.${micros}000+00:00 stdout F x`)?.atMs ?? 0,
    );
    expect(first).toBeLessThan(second ?? 0);
  });

  it.each([
    '',
    ' ',
    'hello',
    '2026-11-24T05:44:43.123456789+00:00',
    '2026-11-24T05:44:43.123456789+00:00 stdout',
    '2026-11-24T05:44:43.123456789+00:00 stdin F x',
    '2026-11-24T05:44:43.123456789+00:00 stdout X x',
    '2026-11-24T05:44:43.123456789+00:00 stdout Fx',
    '2026-13-44T05:44:43+00:00 stdout F x',
    ' 2026-11-24T05:44:43+00:00 stdout F x',
    '\0\0\0\0',
  ])('knows garbage: %j', (line) => {
    expect(parse(line)).toBeUndefined();
  });
});

describe('formatLogLines', () => {
  it('writes what it can read', () => {
    const text = formatLogLines(AT_MS + 7, 'stderr', 'grüße');
    expect(text).toBe('2026-11-24T05:44:43.007000000+00:00 stderr F grüße\n');
    expect(parse(text.trimEnd())?.atMs).toBe(AT_MS + 7);
  });

  it.each([
    ['one', 1],
    ['one\n', 1],
    ['one\ntwo', 2],
    ['one\n\ntwo\n', 3],
    ['', 1],
    ['\n', 1],
  ])('makes a line of each line: %j', (text, count) => {
    expect(formatLogLines(AT_MS, 'stdout', text).match(/\n/g)).toHaveLength(count);
  });

  it('splits a long line into parts without cutting a character', () => {
    const text = `x${'ä'.repeat(10_000)}`;
    const lines = formatLogLines(AT_MS, 'stdout', text).trimEnd().split('\n').map(parse);
    expect(lines.map((line) => line?.partial)).toEqual([true, true, false]);
    expect(lines.map((line) => line?.text.toString()).join('')).toBe(text);
  });
});

describe('characterEnd', () => {
  const bytes = Buffer.from('aä€😀');
  it.each([
    [1, 1],
    [2, 1],
    [3, 3],
    [4, 3],
    [5, 3],
    [6, 6],
    [9, 6],
    [10, 10],
  ])('at %i is %i', (end, expected) => {
    expect(characterEnd(bytes, end)).toBe(expected);
  });

  it('does not go back for ever in what is no UTF-8', () => {
    expect(characterEnd(Buffer.alloc(20, 0x80), 10)).toBe(10);
  });
});
