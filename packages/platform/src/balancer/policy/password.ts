// Makes and verifies password hashes. scrypt runs on the thread pool, a few at a time: it is made to
// take memory and time, and anybody may ask for it.
import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import {
  formatPasswordHash,
  parsePasswordHash,
  type PasswordHash,
} from '../../domain/password-hash.ts';

const derive = promisify<string, Buffer, number, object, Buffer>(scrypt);

const COST = { costLog2: 15, blockSize: 8, parallelism: 1 };
const SALT_BYTES = 16;
const KEY_BYTES = 32;

export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const key = await deriveKey(password, { ...COST, salt, keyBytes: KEY_BYTES });
  return formatPasswordHash({ ...COST, salt: unpadded(salt), key: unpadded(key) });
}

/** A hash that cannot be read is nobody's. */
export async function verifyPassword(password: string, hash: string): Promise<boolean> {
  const parsed: PasswordHash | undefined = parsePasswordHash(hash);
  if (!parsed) return false;
  const expected = Buffer.from(parsed.key, 'base64');
  const salt = Buffer.from(parsed.salt, 'base64');
  const key = await deriveKey(password, { ...parsed, salt, keyBytes: expected.length });
  return timingSafeEqual(key, expected);
}

interface Derivation extends Pick<PasswordHash, 'costLog2' | 'blockSize' | 'parallelism'> {
  readonly keyBytes: number;
  readonly salt: Buffer;
}

function deriveKey(password: string, derivation: Derivation): Promise<Buffer> {
  const { costLog2, blockSize, parallelism, salt, keyBytes } = derivation;
  const cost = 2 ** costLog2;
  // Node refuses what takes exactly its default of 32 MiB.
  const maxmem = 256 * blockSize * cost;
  const options = { cost, blockSize, parallelization: parallelism, maxmem };
  // One spelling for what looks the same (RFC 7617 section 2.1).
  return derive(password.normalize('NFC'), salt, keyBytes, options);
}

const unpadded = (bytes: Buffer): string => bytes.toString('base64').replace(/=+$/, '');
