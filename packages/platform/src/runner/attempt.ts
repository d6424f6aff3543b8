// One attempt: hooks up in order, then attended until it ends or is asked to stop, then hooks down
// in reverse. What went wrong comes back as a value; a stop that was asked for is not a failure.
import { TandemError, toTandemError } from '@tandem/protocol';
import type { ExitStatus } from '../ports/sandbox.ts';
import { LIFECYCLE } from './hooks/index.ts';
import type { Attempt, LifecycleHook } from './hooks/hook.ts';
import { outOfMemory } from './out-of-memory.ts';

export interface AttemptFailure {
  readonly error: TandemError;
  /** Present when the process ended by itself. */
  readonly exit?: ExitStatus;
}

export class ProcessEnded extends Error {
  readonly exit: ExitStatus;

  constructor(exit: ExitStatus) {
    super(`the process ended with ${exit.code}`);
    this.name = 'ProcessEnded';
    this.exit = exit;
  }
}

export const STOP_REQUESTED = Symbol('stop requested');

export interface AttemptOptions {
  /** Aborts `attempt.signal`; the reason is STOP_REQUESTED or a ProcessEnded. */
  readonly controller: AbortController;
  /** Adopted: the process runs and was ready before. */
  readonly adopted: boolean;
  readonly onReady: () => void;
  /** Watches a ready instance; rejects or runs until the attempt's signal fires. */
  readonly attend: (attempt: Attempt) => Promise<void>;
}

export async function runAttempt(
  attempt: Attempt,
  options: AttemptOptions,
): Promise<AttemptFailure | undefined> {
  const begun: LifecycleHook[] = options.adopted ? [...LIFECYCLE] : [];
  try {
    if (options.adopted) abortOnExit(attempt, options.controller);
    else await bringUp(attempt, begun, options.controller);
    attempt.ready = true;
    options.onReady();
    await options.attend(attempt);
    return undefined;
  } catch (thrown) {
    return failureOf(attempt, thrown);
  } finally {
    for (const hook of begun.toReversed()) await hook.down?.(attempt);
  }
}

async function bringUp(
  attempt: Attempt,
  begun: LifecycleHook[],
  controller: AbortController,
): Promise<void> {
  for (const hook of LIFECYCLE) {
    attempt.signal.throwIfAborted();
    begun.push(hook);
    const hadProcess = attempt.process !== undefined;
    await hook.up(attempt);
    if (!hadProcess) abortOnExit(attempt, controller);
  }
}

function abortOnExit(attempt: Attempt, controller: AbortController): void {
  void attempt.process?.exited.then((exit) => controller.abort(new ProcessEnded(exit)));
}

function failureOf(attempt: Attempt, thrown: unknown): AttemptFailure | undefined {
  // Whatever failed after the abort failed because of it.
  const cause: unknown = attempt.signal.aborted ? attempt.signal.reason : thrown;
  if (cause === STOP_REQUESTED) return undefined;
  if (cause instanceof ProcessEnded) {
    return { error: exitError(attempt, cause.exit), exit: cause.exit };
  }
  return { error: toTandemError(cause) };
}

function exitError({ spec, ready }: Attempt, exit: ExitStatus): TandemError {
  if (exit.outOfMemory) return outOfMemory(spec);
  const { appName, processName, release } = spec;
  const when = ready ? '' : ' before it was ready';
  return new TandemError(
    'CRASHED_AT_START',
    `${processName} ended with exit status ${exit.code}${when}`,
    {
      log: `tandem logs -a ${appName} --release v${release} -p ${processName}`,
      ...(exit.code === 0
        ? { hint: 'keep the process in the foreground: no --daemon, no & at the end' }
        : {}),
    },
  );
}
