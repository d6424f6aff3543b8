// Sizes, times and durations as people read and write them.
import { TandemError } from '@tandem/protocol';

const KIB = 1024;
const SIZE_UNITS: Readonly<Record<string, number>> = { k: KIB, m: KIB ** 2, g: KIB ** 3 };
const DURATION_UNITS: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** Of files, in decimal units: `214 B`, `1.9 MB`. */
export function formatSize(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`;
  if (bytes < 999_500) return `${trimmed(bytes / 1_000)} kB`;
  if (bytes < 999_500_000) return `${trimmed(bytes / 1_000_000)} MB`;
  return `${trimmed(bytes / 1_000_000_000)} GB`;
}

function trimmed(value: number): string {
  return value < 99.95 ? value.toFixed(1) : value.toFixed(0);
}

/** Of memory, in MiB, which is what `512M` asks for: `142`. */
export function mebibytes(bytes: number): number {
  return Math.round(bytes / KIB ** 2);
}

/** `0.4 s`, `3 min 05 s`. */
export function formatSeconds(ms: number): string {
  if (ms < 99_950) return `${(ms / 1_000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1_000);
  return `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, '0')} s`;
}

/** `just now`, `5 min ago`, `2026-11-24`. */
export function formatAgo(atMs: number, nowMs: number): string {
  const minutes = Math.floor((nowMs - atMs) / 60_000);
  if (minutes < 1) return 'just now';
  if (minutes < 60) return `${minutes} min ago`;
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} h ago`;
  return new Date(atMs).toISOString().slice(0, 10);
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** `512M`, `1G`, `300MiB`, `64k`: binary units, as for memory everywhere. */
export function parseSize(text: string): number {
  const match = /^([0-9]+(?:\.[0-9]+)?)([kmg])(?:i?b)?$/i.exec(text.trim());
  const unit = SIZE_UNITS[match?.[2]?.toLowerCase() ?? ''];
  if (!match || unit === undefined || Number(match[1]) <= 0) {
    throw new TandemError('USAGE', `"${text}" is not a size.`, { hint: 'Write it as 512M or 1G.' });
  }
  return Math.round(Number(match[1]) * unit);
}

/** `90s`, `10m`, `2h`, `1d`, or a date as in ISO 8601; gives wall-clock milliseconds. */
export function parseSince(text: string, nowMs: number): number {
  const match = /^([0-9]+)([smhd])$/.exec(text.trim());
  const unit = DURATION_UNITS[match?.[2] ?? ''];
  if (match && unit !== undefined) return nowMs - Number(match[1]) * unit;
  const date = Date.parse(text);
  if (/^[0-9]{4}-/.test(text) && !Number.isNaN(date)) return date;
  throw new TandemError('USAGE', `"${text}" is neither a duration nor a date.`, {
    hint: 'Write it as 10m, 2h, 1d or 2026-11-24T08:00.',
  });
}

export function parseWhole(text: string, option: string): number {
  if (/^[0-9]{1,9}$/.test(text)) return Number(text);
  throw new TandemError('USAGE', `${option} takes a whole number, not "${text}".`);
}
