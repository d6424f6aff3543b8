// Requests per second of one client, with a burst: a token bucket, kept as the one moment at which it
// would be full again.
import { performance } from 'node:perf_hooks';
import { clientKey } from '../../domain/address-range.ts';
import type { RateLimitPolicy } from '../../domain/route-policy.ts';
import type { Exchange } from '../exchange.ts';
import type { AdmissionPolicy, Verdict } from './admission.ts';
import type { RateLedger } from './rate-ledger.ts';

let limits = 0;

export class RateLimit implements AdmissionPolicy {
  readonly #ledger: RateLedger;
  readonly #now: () => number;
  readonly #name: string;
  /** From one token to the next. */
  readonly #intervalMs: number;
  /** From an empty bucket to one that is full but for the token of this request. */
  readonly #slackMs: number;

  constructor(
    { requestsPerS, burst = Math.max(1, Math.ceil(requestsPerS)) }: RateLimitPolicy,
    ledger: RateLedger,
    now: () => number = () => performance.now(),
  ) {
    this.#ledger = ledger;
    this.#now = now;
    this.#intervalMs = 1_000 / requestsPerS;
    this.#slackMs = (burst - 1) * this.#intervalMs;
    limits += 1;
    this.#name = `${limits} `;
  }

  judge({ origin: { clientIp } }: Exchange): Verdict {
    const client = this.#name + clientKey(clientIp);
    const nowMs = this.#now();
    const fullAtMs = Math.max(nowMs, this.#ledger.get(client) ?? nowMs);
    const waitMs = fullAtMs - nowMs - this.#slackMs;
    // A hair of rounding is no reason to refuse.
    if (waitMs > 1e-6) return tooMany(Math.ceil(waitMs / 1_000));
    this.#ledger.set(client, fullAtMs + this.#intervalMs);
    return undefined;
  }
}

const tooMany = (retryAfterS: number): Verdict => ({
  status: 429,
  title: 'Too many requests',
  detail: 'More requests came from your address than this site takes. Please try again shortly.',
  retryAfterS,
});
