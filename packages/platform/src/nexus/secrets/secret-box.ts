// Seals secrets before they reach the store and opens them on their way to an instance. Several keys
// may be known: the newest seals, each opens what it sealed.
import { join } from 'node:path';
import { TandemError } from '@tandem/protocol';
import * as v from 'valibot';
import { readClusterKeys } from './cluster-key-file.ts';
import { seal, SealedSecret, unseal, type ClusterKey } from './sealed-secret.ts';

export type { SealedSecret } from './sealed-secret.ts';

/** `path` is where the secret lies, for example `apps/12/config/STRIPE_KEY`; it must match. */
export interface SecretBox {
  seal(path: string, plaintext: string): SealedSecret;
  /** Throws SECRET_UNREADABLE: other path, unknown key, or altered. */
  open(path: string, sealed: SealedSecret): string;
}

/** Makes `<directory>/cluster.key` on first use. Throws CLUSTER_KEY_INVALID. */
export async function openClusterKeys(directory: string): Promise<SecretBox> {
  const keys = await readClusterKeys(join(directory, 'cluster.key'));
  return secretBox(keys);
}

/** From keys, oldest first. */
export function secretBox(keys: readonly ClusterKey[]): SecretBox {
  const newest = keys.at(-1);
  if (newest === undefined) throw new TandemError('CLUSTER_KEY_INVALID', 'there is no cluster key');
  const byId = new Map(keys.map((key) => [key.kid, key]));
  return {
    seal: (path, plaintext) => seal(newest, path, plaintext),
    open: (path, sealed) => open(byId, path, sealed),
  };
}

function open(keys: ReadonlyMap<string, ClusterKey>, path: string, sealed: unknown): string {
  if (!v.is(SealedSecret, sealed)) throw unreadable(path, 'is not a sealed secret');
  const key = keys.get(sealed.kid);
  if (key === undefined) {
    const hint = 'Restore the cluster key file that holds this key from a backup.';
    throw unreadable(path, `was sealed with cluster key ${sealed.kid}, which is not here`, hint);
  }
  try {
    return unseal(key, path, sealed);
  } catch {
    throw unreadable(path, 'was altered, or sealed for another place');
  }
}

function unreadable(path: string, what: string, hint?: string): TandemError {
  return new TandemError('SECRET_UNREADABLE', `secret "${path}" ${what}`, {
    hint: hint ?? 'Set the value again.',
  });
}
