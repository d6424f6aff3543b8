// Orders certificates in processes that end. The client of ACME would stay in a daemon with 50 MB for
// some seconds of work every other month. Challenges are put up here, in the daemon, and taken down
// here whatever becomes of the process.
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TandemError, toTandemError } from '@tandem/protocol';
import { LIMITS } from '../../domain/limits.ts';
import {
  RateLimited,
  type CertificateAuthority,
  type CertificateOrder,
  type Challenge,
  type ChallengeSolver,
} from '../../ports/certificate-authority.ts';
import type { AcmeOptions } from './acme-authority.ts';
import type { FromOrder, OrderTask, ToOrder } from './order-messages.ts';
import { unreachable } from './problem.ts';

const EXTENSION = extname(fileURLToPath(import.meta.url));
/** Compiled when we are. */
const PROGRAM = fileURLToPath(new URL(`order-program${EXTENSION}`, import.meta.url));
const NODE_OPTIONS = EXTENSION === '.ts' ? ['--conditions=development'] : [];
const STDERR_LENGTH_MAX = 2_000;

export function createAcmeProcesses(options: AcmeOptions): CertificateAuthority {
  return { id: options.directoryUrl, order: (order) => runOrder(options, order) };
}

async function runOrder(options: AcmeOptions, order: CertificateOrder): Promise<string> {
  const { accountKeyPem, privateKeyPem, names, solver, signal } = order;
  signal.throwIfAborted();
  const child = fork(PROGRAM, [], {
    execArgv: [...NODE_OPTIONS, '--optimize-for-size'],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  const end = AbortSignal.any([signal, AbortSignal.timeout(LIMITS.certificates.orderTimeoutMs)]);
  const presented = new PresentedChallenges(solver, end);
  const exited = once(child, 'close');
  const kill = (): void => void child.kill('SIGKILL');
  end.addEventListener('abort', kill, { once: true });
  try {
    const task = { ...options, accountKeyPem, privateKeyPem, names, kinds: solver.kinds };
    return await outcome(child, task, presented);
  } catch (error) {
    signal.throwIfAborted();
    if (end.aborted)
      throw unreachable(options.directoryUrl, new Error('the order was never finished'));
    throw error;
  } finally {
    end.removeEventListener('abort', kill);
    kill();
    await exited;
    await presented.cleanup();
  }
}

/** What the process says of the order; it answers challenges in between. */
function outcome(
  child: ChildProcess,
  task: OrderTask,
  presented: PresentedChallenges,
): Promise<string> {
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-STDERR_LENGTH_MAX);
  });
  return new Promise((resolve, reject) => {
    const tell = (message: ToOrder): void => void child.send(message, () => undefined);
    child.once('error', reject);
    child.once('close', (code, killedBy) => {
      const how = `${code ?? killedBy ?? 'nothing'}`;
      reject(new TandemError('INTERNAL', `the process of an order ended with ${how}: ${stderr}`));
    });
    child.on('message', (message: FromOrder) => {
      switch (message.type) {
        case 'done':
          return resolve(message.chainPem);
        case 'failed':
          return reject(errorOf(message));
        case 'present':
          return void presented.present(message.challenge).then(
            () => tell({ type: 'presented', id: message.id }),
            (error: unknown) =>
              tell({ type: 'presented', id: message.id, error: toTandemError(error).toBody() }),
          );
        case 'cleanup':
          return void presented
            .cleanup(message.challenge)
            .then(() => tell({ type: 'cleaned', id: message.id }));
      }
    });
    tell({ type: 'order', task });
  });
}

function errorOf({ error, retryAfterMs }: Extract<FromOrder, { type: 'failed' }>): TandemError {
  if (retryAfterMs !== undefined) return new RateLimited(error.message, retryAfterMs, error);
  return TandemError.fromBody(error);
}

/** Each is cleaned up once: when the process asks for it, else when the process is gone. */
class PresentedChallenges {
  readonly #solver: ChallengeSolver;
  readonly #signal: AbortSignal;
  /** As the process spelled them; the promise is that of their presentation. */
  readonly #up = new Map<string, { challenge: Challenge; presenting: Promise<void> }>();

  constructor(solver: ChallengeSolver, signal: AbortSignal) {
    this.#solver = solver;
    this.#signal = signal;
  }

  async present(challenge: Challenge): Promise<void> {
    const presenting = this.#solver.present(challenge, this.#signal);
    this.#up.set(JSON.stringify(challenge), { challenge, presenting });
    await presenting;
  }

  /** One of them, or all. */
  async cleanup(challenge?: Challenge): Promise<void> {
    const keys = challenge ? [JSON.stringify(challenge)] : [...this.#up.keys()];
    for (const key of keys) {
      const up = this.#up.get(key);
      this.#up.delete(key);
      if (!up) continue;
      await up.presenting.catch(() => undefined);
      await this.#solver.cleanup(up.challenge).catch(() => undefined);
    }
  }
}
