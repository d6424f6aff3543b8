// Between the daemon and the process of an order. Over a channel that only the two have.
import type { ErrorBody } from '@tandem/protocol';
import type { Challenge, ChallengeKind } from '../../ports/certificate-authority.ts';
import type { AcmeOptions } from './acme-authority.ts';

export interface OrderTask extends AcmeOptions {
  readonly accountKeyPem: string;
  readonly privateKeyPem: string;
  readonly names: readonly [string, ...string[]];
  readonly kinds: readonly ChallengeKind[];
}

export type ToOrder =
  | { readonly type: 'order'; readonly task: OrderTask }
  | { readonly type: 'presented'; readonly id: number; readonly error?: ErrorBody }
  | { readonly type: 'cleaned'; readonly id: number };

export type FromOrder =
  | { readonly type: 'present' | 'cleanup'; readonly id: number; readonly challenge: Challenge }
  | { readonly type: 'done'; readonly chainPem: string }
  /** `retryAfterMs`: it is a RateLimited. */
  | { readonly type: 'failed'; readonly error: ErrorBody; readonly retryAfterMs?: number };
