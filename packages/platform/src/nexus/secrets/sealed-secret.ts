// A secret as it lies in the store: AES-256-GCM, bound to its key and to its place, so that a value
// copied to another document (or another app) does not open.
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import * as v from 'valibot';

const IV_BYTES = 12;
const TAG_BYTES = 16;

const base64url = (bytes: number) => {
  const length = Math.ceil((bytes * 4) / 3);
  return v.pipe(v.string(), v.regex(new RegExp(`^[A-Za-z0-9_-]{${length}}$`)));
};

export const SealedSecret = v.object({
  alg: v.literal('A256GCM'),
  /** Which cluster key sealed it. */
  kid: v.pipe(v.string(), v.regex(/^[0-9a-f]{8}$/)),
  iv: base64url(IV_BYTES),
  tag: base64url(TAG_BYTES),
  data: v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]*$/)),
});
export type SealedSecret = v.InferOutput<typeof SealedSecret>;

export interface ClusterKey {
  readonly kid: string;
  /** 32 bytes. */
  readonly key: Buffer;
}

export function seal({ kid, key }: ClusterKey, path: string, plaintext: string): SealedSecret {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, iv, { authTagLength: TAG_BYTES });
  cipher.setAAD(additionalData(kid, path));
  const data = Buffer.concat([cipher.update(plaintext, 'utf8'), cipher.final()]);
  return {
    alg: 'A256GCM',
    kid,
    iv: iv.toString('base64url'),
    tag: cipher.getAuthTag().toString('base64url'),
    data: data.toString('base64url'),
  };
}

/** Throws a bare error of node:crypto for anything that was not sealed with this key and path. */
export function unseal({ kid, key }: ClusterKey, path: string, sealed: SealedSecret): string {
  const iv = Buffer.from(sealed.iv, 'base64url');
  const decipher = createDecipheriv('aes-256-gcm', key, iv, { authTagLength: TAG_BYTES });
  decipher.setAAD(additionalData(kid, path));
  decipher.setAuthTag(Buffer.from(sealed.tag, 'base64url'));
  const data = Buffer.from(sealed.data, 'base64url');
  return Buffer.concat([decipher.update(data), decipher.final()]).toString('utf8');
}

/** Unambiguous: a key id has a fixed form without a line feed. */
function additionalData(kid: string, path: string): Buffer {
  return Buffer.from(`${kid}\n${path}`, 'utf8');
}
