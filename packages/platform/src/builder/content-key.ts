// Keys of what is built: equal inputs, equal key. A version goes in, so that a change of how we
// build makes everything new.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';

/** Raise when the way something is built changes its contents. */
const BUILDER_VERSION = 1;

export function contentKey(kind: string, inputs: Readonly<Record<string, unknown>>): string {
  const sorted = Object.entries(inputs).toSorted(([one], [other]) => (one < other ? -1 : 1));
  return createHash('sha256')
    .update(JSON.stringify([BUILDER_VERSION, kind, sorted]))
    .digest('hex');
}

export async function fileHash(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
