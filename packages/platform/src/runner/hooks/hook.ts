// The contract of a life-cycle hook.
import type { SandboxProcess } from '../../ports/sandbox.ts';
import type { InstanceSpec } from '../../ports/runner.ts';
import type { RunnerContext } from '../context.ts';
import type { InstanceRecord, Records } from '../records.ts';

/** One attempt to run one instance; hooks fill it in, from the first to the last. */
export interface Attempt {
  readonly spec: InstanceSpec;
  readonly context: RunnerContext;
  readonly records: Records<InstanceRecord>;
  /** `<instanceId>-<n>`; a sandbox id is used once. */
  readonly sandboxId: string;
  readonly number: number;
  readonly restarts: number;
  /** Fires when the attempt should be given up: stop requested, or the process ended. */
  readonly signal: AbortSignal;
  process?: SandboxProcess;
  address?: string;
  /** It was ready, so somebody may depend on it. */
  ready?: boolean;
  startedAtMs?: number;
}

/**
 * `up` runs in the order of the list and may be slow; it must give up when `attempt.signal` fires.
 * `down` runs in reverse order for every hook whose `up` began, also when `up` threw, and must be
 * safe to repeat; it never throws for what is gone already.
 */
export interface LifecycleHook {
  readonly name: string;
  up(attempt: Attempt): Promise<void>;
  down?(attempt: Attempt): Promise<void>;
}
