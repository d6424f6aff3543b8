// A unix socket that nobody but its owner can ever connect to, put in its place whole: bound in a
// private directory, made 0600, then renamed over whatever an earlier process left there.
import { chmod, lstat, mkdtemp, rename, rm } from 'node:fs/promises';
import type { Server } from 'node:net';
import { basename, dirname, join } from 'node:path';

/** sun_path of unix(7), less its final NUL. */
const PATH_BYTES_MAX = 107;

export interface PrivateSocket {
  /** Removes the socket, unless another process has put its own there meanwhile. */
  remove(): Promise<void>;
}

/** The directory of `path` exists. `server` is closed by the caller. */
export async function listenPrivately(server: Server, path: string): Promise<PrivateSocket> {
  const directory = await mkdtemp(join(dirname(path), '.s-'));
  try {
    const bound = join(directory, basename(path).slice(0, 4));
    if (Math.max(Buffer.byteLength(bound), Buffer.byteLength(path)) > PATH_BYTES_MAX) {
      throw new Error(`the path ${path} is too long for a unix socket`);
    }
    await listen(server, bound);
    await chmod(bound, 0o600);
    const { ino } = await lstat(bound);
    await rename(bound, path);
    return { remove: () => removeOwn(path, ino) };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.removeListener('error', reject);
      resolve();
    });
  });
}

async function removeOwn(path: string, ino: number): Promise<void> {
  const now = await lstat(path).catch(() => undefined);
  if (now?.ino === ino) await rm(path, { force: true });
}
