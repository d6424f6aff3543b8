// Answers certificate authorities through the balancers: what they ask for travels with the routes,
// in the same epochs, so it is known when every balancer has it.
import { TandemError } from '@tandem/protocol';
import { LIMITS } from '../../domain/limits.ts';
import type { BalancerChallenge } from '../../domain/route-table.ts';
import type {
  Challenge,
  ChallengeKind,
  ChallengeSolver,
} from '../../ports/certificate-authority.ts';
import type { Resolver } from '../resolver/index.ts';

export interface BalancerSolverOptions {
  readonly resolver: Pick<Resolver, 'setChallenges' | 'waitAcknowledged' | 'balancers'>;
  readonly kinds: readonly ('http-01' | 'tls-alpn-01')[];
}

export class BalancerSolver implements ChallengeSolver {
  readonly kinds: readonly ChallengeKind[];
  readonly #resolver: BalancerSolverOptions['resolver'];
  readonly #presented = new Map<string, BalancerChallenge>();

  constructor({ resolver, kinds }: BalancerSolverOptions) {
    this.#resolver = resolver;
    this.kinds = kinds;
  }

  /** A balancer that nobody hears of is not waited for beyond the time it may take to come back. */
  async present(challenge: Challenge, signal: AbortSignal): Promise<void> {
    if (challenge.kind === 'dns-01') throw new TypeError('balancers answer no DNS');
    this.#presented.set(keyOf(challenge), challenge);
    const epoch = await this.#publish();
    const timeoutMs = LIMITS.certificates.presentTimeoutMs;
    const told = await this.#resolver.waitAcknowledged(epoch, { signal, timeoutMs });
    if (told.acknowledged.length === 0) throw notPresented('no balancer runs');
    const live = new Set(this.#resolver.balancers().flatMap(({ id, live }) => (live ? [id] : [])));
    const late = told.silent.filter((balancer) => live.has(balancer));
    if (late.length > 0) throw notPresented(`${late.join(', ')} did not take it in`);
  }

  async cleanup(challenge: Challenge): Promise<void> {
    if (this.#presented.delete(keyOf(challenge))) await this.#publish();
  }

  async #publish(): Promise<number> {
    return await this.#resolver.setChallenges([...this.#presented.values()]);
  }
}

/** A host has one certificate at a time to show, and any number of tokens. */
function keyOf(challenge: Challenge): string {
  return challenge.kind === 'http-01'
    ? `${challenge.kind} ${challenge.host} ${challenge.token}`
    : `${challenge.kind} ${challenge.host}`;
}

function notPresented(message: string): TandemError {
  return new TandemError('CHALLENGE_NOT_PRESENTED', message, { hint: 'tandem status' });
}
