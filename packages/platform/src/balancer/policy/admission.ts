// Whether a request may go on to its app. Policies judge in a fixed order, each once for a request
// however often it is routed; the first that refuses answers.
import type { Exchange } from '../exchange.ts';
import type { Refusal } from '../refusal.ts';

/** Undefined: it may go on. */
export type Verdict = Refusal | undefined;

export interface AdmissionPolicy {
  /** A promise only where judging takes time; it never rejects. */
  judge(exchange: Exchange): Verdict | Promise<Verdict>;
}

/**
 * True when `exchange` may go on now. Else it was refused, or `goOn` is called once it may; it is
 * judged by the rest of `policies` then.
 */
export function admit(
  exchange: Exchange,
  policies: readonly AdmissionPolicy[],
  goOn: (exchange: Exchange) => void,
): boolean {
  const passed = (exchange.passed ??= new Set());
  for (const policy of policies) {
    if (passed.has(policy)) continue;
    const verdict = policy.judge(exchange);
    if (verdict instanceof Promise) {
      void verdict.then((late) => {
        passed.add(policy);
        if (late === undefined) goOn(exchange);
        else exchange.refuse(late);
      });
      return false;
    }
    if (verdict !== undefined) {
      exchange.refuse(verdict);
      return false;
    }
    passed.add(policy);
  }
  return true;
}
