// The CURVE key pair of a process: `<name>.key` for its owner alone, `<name>.pub` for everybody.
import { chown, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TandemError } from '@tandem/protocol';
import { curveKeyPair } from 'zeromq';
import { writeFileAtomic } from '../../lib/atomic-file.ts';

/** Z85 text, 40 characters each. */
export interface CurveKeys {
  readonly publicKey: string;
  readonly secretKey: string;
}

export interface KeyOwner {
  readonly uid: number;
  readonly gid: number;
}

const Z85_KEY = /^[0-9a-zA-Z.\-:+=^!/*?&<>()[\]{}@%$#]{40}$/;

export const isCurveKey = (text: string): boolean => Z85_KEY.test(text);

/**
 * The pair kept under `directory`, made when it is not there yet. The secret half is written first,
 * with the public one in it: a crash between the two files loses nothing.
 */
export async function ensureCurveKeys(
  directory: string,
  name: string,
  owner?: KeyOwner,
): Promise<CurveKeys> {
  await mkdir(directory, { recursive: true, mode: 0o755 });
  const keyFile = join(directory, `${name}.key`);
  const keys = (await readKeysIfThere(keyFile)) ?? (await writeNewKeys(keyFile));
  await writeFileAtomic(join(directory, `${name}.pub`), `${keys.publicKey}\n`, 0o644);
  if (owner) await chown(keyFile, owner.uid, owner.gid);
  return keys;
}

export async function readCurveKeys(keyFile: string): Promise<CurveKeys> {
  const keys = await readKeysIfThere(keyFile);
  if (keys) return keys;
  throw new TandemError('NOT_FOUND', `no key pair at ${keyFile}`, {
    hint: 'script/up makes the key pairs of this node',
  });
}

export async function readCurvePublicKey(publicKeyFile: string): Promise<string> {
  const key = (await readFile(publicKeyFile, 'utf8')).trim();
  if (!isCurveKey(key)) throw new TandemError('INTERNAL', `${publicKeyFile} holds no CURVE key`);
  return key;
}

async function readKeysIfThere(keyFile: string): Promise<CurveKeys | undefined> {
  let text: string;
  try {
    text = await readFile(keyFile, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const [publicKey = '', secretKey = ''] = text.trim().split('\n');
  if (!isCurveKey(publicKey) || !isCurveKey(secretKey))
    throw new TandemError('INTERNAL', `${keyFile} holds no CURVE key pair`);
  return { publicKey, secretKey };
}

async function writeNewKeys(keyFile: string): Promise<CurveKeys> {
  const { publicKey, secretKey } = curveKeyPair();
  await writeFileAtomic(keyFile, `${publicKey}\n${secretKey}\n`, 0o600);
  return { publicKey, secretKey };
}
