import { describe, expect, it } from 'vitest';
import { LIMITS } from '../domain/limits.ts';
import { LineJoiner } from './line-joiner.ts';

const { lineBytesMax } = LIMITS.logs;
const FALLBACK_MS = 42;

function join(...lines: (string | Buffer)[]) {
  const joiner = new LineJoiner();
  const whole = lines.flatMap((line) => joiner.push(Buffer.from(line), FALLBACK_MS));
  return { texts: whole.map(({ text }) => text), whole, rest: joiner.flush() };
}
const line = (text: string, tag = 'F', stream = 'stdout', second = '01'): string =>
  `2026-11-24T05:44:${second}+00:00 ${stream} ${tag} ${text}`;

describe('LineJoiner', () => {
  it('joins parts up to the next full line', () => {
    expect(join(line('a', 'P'), line('b', 'P'), line('c'), line('d')).texts).toEqual(['abc', 'd']);
  });

  it('keeps the streams apart', () => {
    const { whole } = join(
      line('out', 'P'),
      line('err', 'P', 'stderr'),
      line('!', 'F', 'stderr'),
      line('put'),
    );
    expect(whole.map(({ stream, text }) => `${stream} ${text}`)).toEqual([
      'stderr err!',
      'stdout output',
    ]);
  });

  it('gives a line the time of its end, so that a file stays in order', () => {
    const { whole } = join(line('a', 'P', 'stdout', '01'), line('b', 'F', 'stdout', '09'));
    expect(whole[0]?.atMs).toBe(Date.parse('2026-11-24T05:44:09Z'));
  });

  it('joins a character that was cut between two parts', () => {
    const bytes = Buffer.from('ä');
    const parts = [...bytes].map((byte, index) =>
      Buffer.concat([Buffer.from(line('', index === 0 ? 'P' : 'F')), Buffer.from([byte])]),
    );
    expect(join(...parts).texts).toEqual(['ä']);
  });

  it('gives what is left at the end', () => {
    const { texts, rest } = join(line('no line feed', 'P'));
    expect(texts).toEqual([]);
    expect(rest.map(({ text }) => text)).toEqual(['no line feed']);
  });

  it('shows garbage near its neighbours and does not join it', () => {
    const { whole } = join('begin', line('a', 'P'), 'torn', line('b'), 'end');
    expect(whole.map(({ text }) => text)).toEqual(['begin', 'torn', 'ab', 'end']);
    const atMs = Date.parse('2026-11-24T05:44:01Z');
    expect(whole.map((whole) => whole.atMs)).toEqual([FALLBACK_MS, atMs, atMs, atMs]);
  });

  it.each(['', ' ', '\0\0\0\0'])('passes over a line of nothing: %j', (nothing) => {
    expect(join(nothing).texts).toEqual([]);
  });

  it('keeps an empty line that was written', () => {
    expect(join(line('')).texts).toEqual(['']);
  });

  it('cuts a line of 1 MiB into several and loses no byte', () => {
    const text = 'äx'.repeat(350_000);
    const parts: string[] = [];
    for (let at = 0; at < text.length; at += 5_000)
      parts.push(line(text.slice(at, at + 5_000), 'P'));
    const { texts } = join(...parts, line('end'), line('next'));
    expect(texts.slice(0, -1).join('')).toBe(`${text}end`);
    expect(texts.at(-1)).toBe('next');
    for (const piece of texts) expect(Buffer.byteLength(piece)).toBeLessThanOrEqual(lineBytesMax);
  });

  it('holds no more than the bound', () => {
    const { rest } = join(...Array.from({ length: 50 }, () => line('x'.repeat(8_000), 'P')));
    expect(rest[0]?.text.length).toBeLessThanOrEqual(lineBytesMax);
  });
});
