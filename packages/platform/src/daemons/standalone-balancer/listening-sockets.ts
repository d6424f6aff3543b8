// The sockets of a standalone balancer: bound once, inherited by each worker, kept between them.
import { lookup } from 'node:dns/promises';
import { readlink } from 'node:fs/promises';
import { connect } from 'node:net';
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { TandemError } from '@tandem/protocol';
import { formatSocketAddress, type SocketAddress } from '../../domain/socket-address.ts';
import type { KeeperAnswer, KeeperOrder, KeptAddress } from './socket-keeper.ts';

/** A listener whose queue is full does not even refuse. */
const KNOCK_TIMEOUT_MS = 1_000;
const KEEPER = new URL(`./socket-keeper${extname(import.meta.filename)}`, import.meta.url);

export class ListeningSockets {
  readonly addresses: readonly KeptAddress[];
  readonly #keeper: Worker;

  private constructor(addresses: readonly KeptAddress[], keeper: Worker) {
    this.addresses = addresses;
    this.#keeper = keeper;
  }

  /** LISTEN_FAILED names the address and what to do. */
  static async open(
    addresses: readonly SocketAddress[],
    workers: number,
  ): Promise<ListeningSockets> {
    const resolved = await resolveAll(addresses);
    const order: KeeperOrder = { addresses: resolved, socketsPerAddress: workers };
    if (workers > 1) await refuseTaken(resolved);
    const keeper = new Worker(KEEPER, {
      workerData: order,
      resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 1 },
    });
    const answer = await answerOf(keeper);
    if ('kept' in answer) return new ListeningSockets(answer.kept, keeper);
    await keeper.terminate();
    throw listenError(addresses[answer.refused.index], answer.refused.code);
  }

  /** One for each address. */
  fdsOf(worker: number): number[] {
    return this.addresses.flatMap(({ fds }) => fds[worker] ?? []);
  }

  /** They live on in the workers that have them. */
  async close(): Promise<void> {
    await this.#keeper.terminate();
  }
}

/** Without this a worker would say EINVAL of a number that it has under another name. */
export async function checkInherited(fds: readonly number[]): Promise<void> {
  for (const fd of fds) {
    const what = await readlink(`/proc/self/fd/${fd}`).catch(() => 'closed');
    if (what.startsWith('socket:')) continue;
    throw new TandemError('LISTEN_FAILED', `--listen-fd ${fd}: the descriptor is no socket`, {
      hint: 'systemd hands over sockets from 3 on, when a socket unit belongs to the service.',
    });
  }
}

async function resolveAll(addresses: readonly SocketAddress[]): Promise<KeeperOrder['addresses']> {
  const resolved = await Promise.all(
    addresses.map(async (wanted) => {
      try {
        return { host: (await lookup(wanted.host)).address, port: wanted.port };
      } catch (error) {
        throw listenError(wanted, (error as NodeJS.ErrnoException).code);
      }
    }),
  );
  return resolved.map((one) => ({
    ...one,
    ipv6Only: resolved.some(({ host, port }) => port === one.port && !host.includes(':')),
  }));
}

/**
 * Sockets that share a port may be of two balancers of the same user, each with half of the
 * connections. To bind once without sharing would reset whoever connects meanwhile, so we knock.
 */
async function refuseTaken(addresses: readonly SocketAddress[]): Promise<void> {
  for (const address of addresses) {
    if (address.port !== 0 && (await somebodyAnswers(address)))
      throw listenError(address, 'EADDRINUSE');
  }
}

function somebodyAnswers(address: SocketAddress): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ ...address, timeout: KNOCK_TIMEOUT_MS });
    const end = (answers: boolean): void => {
      socket.destroy();
      resolve(answers);
    };
    socket.once('connect', () => end(true)).once('timeout', () => end(true));
    socket.once('error', () => end(false));
  });
}

function answerOf(keeper: Worker): Promise<KeeperAnswer> {
  return new Promise((resolve, reject) => {
    keeper.once('message', resolve).once('error', reject);
    keeper.once('exit', () => reject(new Error('the thread that listens ended early')));
  });
}

function listenError(wanted: SocketAddress | undefined, code = 'no socket'): TandemError {
  const { host, port } = wanted ?? { host: '', port: 0 };
  const address = formatSocketAddress({ host, port });
  const [reason, hint] = REASONS[code]?.(port) ?? [code, 'Give another --listen.'];
  return new TandemError('LISTEN_FAILED', `cannot listen on ${address}: ${reason}`, { hint });
}

const REASONS: Readonly<Record<string, (port: number) => [reason: string, hint: string]>> = {
  EADDRINUSE: (port) => [
    'another process listens there',
    `See which: ss -ltnp 'sport = :${port}'. Stop it, or give another --listen.`,
  ],
  EACCES: (port) => [
    `port ${port} needs privileges`,
    'Start it as root with --user NAME, give it CAP_NET_BIND_SERVICE, or take a port from 1024.',
  ],
  EAFNOSUPPORT: () => ['the machine has no IPv6', 'Give an IPv4 address, such as 0.0.0.0.'],
  EADDRNOTAVAIL: () => [
    'the machine does not have this address',
    'See which it has: ip address. 0.0.0.0 and [::] stand for all.',
  ],
  ENOTFOUND: () => ['the name has no address', 'Give an address: 127.0.0.1, 0.0.0.0 or [::].'],
  EAI_AGAIN: () => ['the name cannot be resolved', 'Give an address: 127.0.0.1, 0.0.0.0 or [::].'],
};
