// libzmq closes sockets behind our back, a moment after `close()`: a successor in the same process
// would find the port taken, or lose its socket file to the one that goes.
import { access } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Endpoints, ipcPath } from './endpoints.ts';

const RELEASE_MS_MAX = 2_000;
const POLL_MS = 10;

export async function bindPatiently(
  socket: { bind(endpoint: string): Promise<void> },
  endpoint: string,
): Promise<void> {
  const end = performance.now() + RELEASE_MS_MAX;
  for (;;) {
    try {
      await socket.bind(endpoint);
      return;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'EADDRINUSE' || performance.now() > end) throw error;
      await sleep(POLL_MS);
    }
  }
}

/** Resolves when the socket files are gone. */
export async function untilReleased(endpoints: readonly Endpoints[]): Promise<void> {
  const end = performance.now() + RELEASE_MS_MAX;
  const paths = endpoints.flatMap((one) => Object.values(one).map(ipcPath));
  for (const path of paths) {
    while (path !== undefined && performance.now() < end && (await exists(path)))
      await sleep(POLL_MS);
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
