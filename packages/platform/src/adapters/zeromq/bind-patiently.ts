// libzmq closes sockets behind our back, a moment after `close()`: a successor in the same process
// finds the port taken for that long. (The file of a unix socket is replaced at once.)
import { setTimeout as sleep } from 'node:timers/promises';

const PATIENCE_MS = 2_000;
const POLL_MS = 10;

export async function bindPatiently(
  socket: { bind(endpoint: string): Promise<void> },
  endpoint: string,
): Promise<void> {
  const endMs = performance.now() + PATIENCE_MS;
  for (;;) {
    try {
      await socket.bind(endpoint);
      return;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'EADDRINUSE' || performance.now() > endMs) throw error;
      await sleep(POLL_MS);
    }
  }
}
