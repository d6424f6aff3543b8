// The bounds that both adapters of StateStore enforce, so that what fits one fits the other.
import { TandemError } from '@tandem/protocol';
import { LIMITS } from '../domain/limits.ts';
import type { Compare, ValidateDocument, Write } from './state-store.ts';

const KEY = /^[A-Za-z0-9._-]+(\/[A-Za-z0-9._-]+)*$/;

export function checkTransaction(compares: readonly Compare[], writes: readonly Write[]): void {
  const { operationsMax } = LIMITS.store;
  const operations = Math.max(compares.length, writes.length);
  if (operations > operationsMax) {
    throw limit(`a transaction has ${operations} operations; at most ${operationsMax} are allowed`);
  }
  for (const { key } of compares) checkKey(key);
  const written = new Set<string>();
  for (const { key } of writes) {
    checkKey(key);
    if (written.has(key)) throw limit(`a transaction writes "${key}" twice`);
    written.add(key);
  }
}

export function checkKey(key: string): void {
  if (!KEY.test(key)) {
    throw new TandemError('STORE_DOCUMENT_INVALID', `"${key.slice(0, 200)}" is not a valid key`);
  }
  if (key.length > LIMITS.store.keyBytesMax) {
    throw limit(`key "${key.slice(0, 80)}..." is longer than ${LIMITS.store.keyBytesMax} bytes`);
  }
}

/** The JSON text to store; the document is checked on its way in. */
export function encodeDocument(key: string, value: unknown, validate: ValidateDocument): string {
  const text = JSON.stringify(validate(key, value)) as string | undefined;
  if (text === undefined) {
    throw new TandemError('STORE_DOCUMENT_INVALID', `document "${key}" is not JSON`);
  }
  const sizeBytes = Buffer.byteLength(text);
  if (sizeBytes > LIMITS.store.valueBytesMax) {
    const bound = `at most ${LIMITS.store.valueBytesMax} are allowed`;
    throw limit(`document "${key}" has ${sizeBytes} bytes; ${bound}`);
  }
  return text;
}

/** Checked on its way out, too: an older version may have written it. */
export function decodeDocument(key: string, text: string, validate: ValidateDocument): unknown {
  return validate(key, JSON.parse(text));
}

function limit(message: string): TandemError {
  return new TandemError('STORE_LIMIT', message);
}
