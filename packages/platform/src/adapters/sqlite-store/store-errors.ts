// What SQLite reports, as errors with a code. Result codes: https://www.sqlite.org/rescode.html
import { TandemError } from '@tandem/protocol';

const BUSY = 5;
const LOCKED = 6;
const READ_ONLY = 8;
const IO_ERROR = 10;
const CORRUPT = 11;
const FULL = 13;
const CANNOT_OPEN = 14;
const NOT_A_DATABASE = 26;

/** The primary result code of an error of node:sqlite; undefined for any other value. */
export function sqliteCode(thrown: unknown): number | undefined {
  if (!(thrown instanceof Error) || !('errcode' in thrown)) return undefined;
  return typeof thrown.errcode === 'number' ? thrown.errcode & 0xff : undefined;
}

export function isBusy(thrown: unknown): boolean {
  const code = sqliteCode(thrown);
  return code === BUSY || code === LOCKED;
}

export function unreadable(path: string, what: string, cause?: unknown): TandemError {
  return new TandemError('STORE_UNREADABLE', `${path}: ${what}`, {
    hint: `Keep a copy of ${path}* and restore the store from a backup.`,
    cause,
  });
}

/** Errors of node:sqlite get a code; everything else passes as it is. */
export function storeError(thrown: unknown, path: string): unknown {
  switch (sqliteCode(thrown)) {
    case BUSY:
    case LOCKED:
      return new TandemError('STORE_BUSY', `${path} is locked by another process`, {
        hint: `Show who holds it: fuser ${path}`,
        cause: thrown,
      });
    case CORRUPT:
    case NOT_A_DATABASE:
      return unreadable(path, messageOf(thrown), thrown);
    case IO_ERROR:
    case CANNOT_OPEN:
    case READ_ONLY:
      return unreadable(path, `cannot be read or written (${messageOf(thrown)})`, thrown);
    case FULL:
      return new TandemError('DISK_FULL', `${path}: no space left for the store`, {
        hint: `Free space on its disk: df -h ${path}`,
        cause: thrown,
      });
    case undefined:
    default:
      return thrown;
  }
}

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
