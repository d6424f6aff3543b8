// A thread that binds the listening sockets and then stands still for good. Whatever process accepts
// from them may come and go; they stay open, and what the kernel queues on them waits. In the main
// thread Node would accept from a server that listens, and there is no way to tell it not to.
import { readdirSync, readlinkSync } from 'node:fs';
import { createServer, type ListenOptions } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';
import type { SocketAddress } from '../../domain/socket-address.ts';

export interface KeeperOrder {
  /** IP addresses, not names: to resolve one, the loop would turn and accept. */
  readonly addresses: readonly (SocketAddress & {
    /** Another socket has the port on IPv4. */
    readonly ipv6Only: boolean;
  })[];
  /**
   * Sockets for each address. Of several the kernel gives each the same share of the connections; of
   * one that processes share it gives most to whichever it finds first.
   */
  readonly socketsPerAddress: number;
}

export interface KeptAddress extends SocketAddress {
  readonly fds: readonly number[];
}

export type KeeperAnswer =
  | { readonly kept: readonly KeptAddress[] }
  | { readonly refused: { readonly index: number; readonly code: string | undefined } };

const BACKLOG = 4_096;

const { addresses, socketsPerAddress } = workerData as KeeperOrder;
parentPort?.postMessage(await keep());
// Until the process ends or the thread is terminated.
Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);

/** All of it in callbacks that run before the loop turns, so nothing is accepted here. */
async function keep(): Promise<KeeperAnswer> {
  const kept: KeptAddress[] = [];
  for (const [index, wanted] of addresses.entries()) {
    try {
      kept.push(await bindAll({ ...wanted, reusePort: socketsPerAddress > 1 }));
    } catch (error) {
      return { refused: { index, code: (error as NodeJS.ErrnoException).code } };
    }
  }
  return { kept };
}

async function bindAll(where: ListenOptions): Promise<KeptAddress> {
  const first = await bind(where);
  const fds = [first.fd];
  while (fds.length < socketsPerAddress) fds.push((await bind({ ...where, port: first.port })).fd);
  return { host: first.host, port: first.port, fds };
}

function bind(where: ListenOptions): Promise<SocketAddress & { readonly fd: number }> {
  return new Promise((resolve, reject) => {
    const before = socketFds();
    const server = createServer();
    server.once('error', reject);
    server.listen({ ...where, backlog: BACKLOG }, () => {
      const fd = [...socketFds()].find((one) => !before.has(one));
      const address = server.address();
      if (fd === undefined || address === null || typeof address === 'string')
        return reject(new Error('the socket cannot be found'));
      resolve({ host: address.address, port: address.port, fd });
    });
  });
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
