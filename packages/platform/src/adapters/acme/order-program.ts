// A program of its own: one order, from its task to a certificate or an error. Ends with the daemon
// that began it.
import { TandemError, toTandemError } from '@tandem/protocol';
import {
  RateLimited,
  type Challenge,
  type ChallengeSolver,
} from '../../ports/certificate-authority.ts';
import { createAcmeAuthority } from './acme-authority.ts';
import type { FromOrder, OrderTask, ToOrder } from './order-messages.ts';

type Answer = Exclude<ToOrder, { type: 'order' }>;

const waiting = new Map<number, (answer: Answer) => void>();
let lastId = 0;

process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
process.on('message', (message: ToOrder) => {
  if (message.type === 'order') void fulfil(message.task);
  else waiting.get(message.id)?.(message);
});

async function fulfil({ kinds, ...task }: OrderTask): Promise<void> {
  const solver: ChallengeSolver = {
    kinds,
    present: async (challenge) => {
      const answer = await ask('present', challenge);
      if (answer.type === 'presented' && answer.error) throw TandemError.fromBody(answer.error);
    },
    cleanup: async (challenge) => {
      await ask('cleanup', challenge);
    },
  };
  const { signal } = new AbortController();
  try {
    const chainPem = await createAcmeAuthority(task).order({ ...task, solver, signal });
    say({ type: 'done', chainPem });
  } catch (thrown) {
    const error = toTandemError(thrown);
    const retry = error instanceof RateLimited ? { retryAfterMs: error.retryAfterMs } : {};
    say({ type: 'failed', error: error.toBody(), ...retry });
  }
}

function ask(type: 'present' | 'cleanup', challenge: Challenge): Promise<Answer> {
  const id = (lastId += 1);
  return new Promise((resolve) => {
    waiting.set(id, resolve);
    say({ type, id, challenge });
  });
}

function say(message: FromOrder): void {
  process.send?.(message);
}
