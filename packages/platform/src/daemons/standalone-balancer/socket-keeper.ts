// A thread that binds the listening sockets and then stands still for good. Whatever process accepts
// from them may come and go; they stay open, and what the kernel queues on them waits. In the main
// thread Node would accept from a server that listens, and there is no way to tell it not to.
import { readdirSync, readlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';
import type { SocketAddress } from '../../domain/socket-address.ts';

/** With `ipv6Only` when another socket has the port on IPv4. */
export type KeeperOrder = readonly (SocketAddress & { readonly ipv6Only: boolean })[];

export interface KeptSocket extends SocketAddress {
  readonly fd: number;
}

export type KeeperAnswer =
  | { readonly kept: readonly KeptSocket[] }
  | { readonly refused: { readonly index: number; readonly code: string | undefined } };

const BACKLOG = 4_096;

const order = workerData as KeeperOrder;
const kept: KeptSocket[] = [];

listen(0);

/** Addresses, not names, so all this happens before the loop could accept anything. */
function listen(index: number): void {
  const wanted = order[index];
  if (!wanted) return stand();
  const before = socketFds();
  const server = createServer();
  server.on('error', (error: NodeJS.ErrnoException) =>
    answer({ refused: { index, code: error.code } }),
  );
  server.listen({ ...wanted, backlog: BACKLOG }, () => {
    const fd = [...socketFds()].find((one) => !before.has(one));
    const address = server.address();
    if (fd === undefined || address === null || typeof address === 'string')
      return answer({ refused: { index, code: undefined } });
    kept.push({ fd, host: address.address, port: address.port });
    listen(index + 1);
  });
}

function stand(): void {
  answer({ kept });
  // Until the process ends or the thread is terminated.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}

function answer(message: KeeperAnswer): void {
  parentPort?.postMessage(message);
}

function socketFds(): Set<number> {
  const isSocket = (fd: string): boolean => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith('socket:');
    } catch {
      return false;
    }
  };
  return new Set(readdirSync('/proc/self/fd').filter(isSocket).map(Number));
}
