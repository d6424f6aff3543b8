// When a running instance counts as unresponsive: several probes failed in a row, and no request was
// answered between them. A busy app that misses probes but serves visitors stays.
import { LIMITS } from './limits.ts';

export interface LivenessState {
  /** Failed probes since the last sign of life. */
  readonly failures: number;
}

export type LivenessEvent =
  /** A probe was answered. */
  | { readonly kind: 'alive' }
  /** A request of a visitor was answered. */
  | { readonly kind: 'served' }
  /** A probe was not answered in time. */
  | { readonly kind: 'failed' };

export interface LivenessDecision {
  readonly state: LivenessState;
  /** True from the failure that reaches the bound until the next sign of life. */
  readonly replace: boolean;
  /** For people; set when `replace` is. */
  readonly reason?: string;
}

export const initialLiveness: LivenessState = { failures: 0 };

export function decideLiveness(
  state: LivenessState,
  event: LivenessEvent,
  failuresMax: number = LIMITS.probe.failures,
): LivenessDecision {
  if (event.kind !== 'failed') return { state: initialLiveness, replace: false };
  const failures = state.failures + 1;
  if (failures < failuresMax) return { state: { failures }, replace: false };
  const reason = `unresponsive: ${failures} probes failed with no request answered between`;
  return { state: { failures }, replace: true, reason };
}
