// Reads a file that somebody we do not trust wrote: no link is followed in its last step, nothing
// but a regular file is read, and no more than a bound.
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';

/** Undefined when there is no such regular file, or it is larger than `bytesMax`. */
export async function readUntrustedFile(
  path: string,
  bytesMax: number,
): Promise<string | undefined> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const file = await open(path, flags).catch(() => undefined);
  if (file === undefined) return undefined;
  try {
    const status = await file.stat();
    if (!status.isFile() || status.size > bytesMax) return undefined;
    const { bytesRead, buffer } = await file.read(Buffer.alloc(status.size), 0, status.size, 0);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await file.close();
  }
}
