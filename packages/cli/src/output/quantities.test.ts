import { hasCode } from '@tandem/protocol';
import { describe, expect, it } from 'vitest';
import {
  formatAgo,
  formatSeconds,
  formatSize,
  parseSince,
  parseSize,
  parseWhole,
} from './quantities.ts';

const MIB = 1024 * 1024;

const refused = (work: () => unknown): boolean => {
  try {
    work();
    return false;
  } catch (error) {
    return hasCode(error, 'USAGE');
  }
};

describe('sizes', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1_000, '1.0 kB'],
    [999_499, '999 kB'],
    [1_900_000, '1.9 MB'],
    [999_600, '1.0 MB'],
    [536_870_912, '537 MB'],
    [2_147_483_648, '2.1 GB'],
  ])('%i is %s', (bytes, text) => expect(formatSize(bytes)).toBe(text));

  it.each([
    ['512M', 512 * MIB],
    ['1G', 1024 * MIB],
    ['1.5g', 1536 * MIB],
    ['300MiB', 300 * MIB],
    ['64kb', 65_536],
  ])('%s is %i bytes', (text, bytes) => expect(parseSize(text)).toBe(bytes));

  it.each(['', '512', 'M', '0M', '-1G', '1T', '1 M', '1e3M', '0x1M'])('%j is none', (text) =>
    expect(refused(() => parseSize(text))).toBe(true),
  );
});

describe('times', () => {
  it.each([
    [0, '0.0 s'],
    [400, '0.4 s'],
    [19_500, '19.5 s'],
    [99_949, '99.9 s'],
    [99_950, '1 min 40 s'],
    [185_000, '3 min 05 s'],
  ])('%i ms are %s', (ms, text) => expect(formatSeconds(ms)).toBe(text));

  it.each([
    [59_000, 'just now'],
    [5 * 60_000, '5 min ago'],
    [47 * 3_600_000, '47 h ago'],
  ])('%i ms back is %s', (ms, text) => expect(formatAgo(1e12 - ms, 1e12)).toBe(text));

  it('shows the date of what is older', () => {
    expect(formatAgo(Date.parse('2026-01-02T03:04Z'), Date.parse('2026-11-24'))).toBe('2026-01-02');
  });

  it('reads durations back from now, and dates', () => {
    expect(parseSince('90s', 1e9)).toBe(1e9 - 90_000);
    expect(parseSince('2d', 1e9)).toBe(1e9 - 172_800_000);
    expect(parseSince('2026-11-24T08:00:00Z', 0)).toBe(Date.parse('2026-11-24T08:00:00Z'));
  });

  it.each(['', 'yesterday', '5', '-5m', '1w', '2026-99-99'])('%j is neither', (text) =>
    expect(refused(() => parseSince(text, 0))).toBe(true),
  );

  it.each(['', '1.5', '-1', '1e3', '0x1'])('%j is no whole number', (text) =>
    expect(refused(() => parseWhole(text, '-n'))).toBe(true),
  );
});
