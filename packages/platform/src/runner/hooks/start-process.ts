// Starts the sandboxed process; on the way down asks it to end, waits its grace, then ends it.
import { sandboxSpec } from '../sandbox-spec.ts';
import { stopProcess } from '../stop-process.ts';
import type { LifecycleHook } from './hook.ts';

/** For what never was ready: it has served nobody, and a server that hangs may ignore TERM. */
const UNREADY_GRACE_MS = 5_000;

export const startProcess: LifecycleHook = {
  name: 'start-process',
  async up(attempt) {
    const { spec, context, sandboxId } = attempt;
    const startedAtMs = context.clock.nowMs();
    attempt.startedAtMs = startedAtMs;
    attempt.process = await context.sandbox.start(
      sandboxSpec(spec, { sandboxId, paths: context.paths }),
      async (sandbox) => {
        await attempt.records.write(spec.instanceId, {
          schemaVersion: 1,
          instanceId: spec.instanceId,
          attempt: attempt.number,
          sandbox,
          ready: false,
          restarts: attempt.restarts,
          startedAtMs,
        });
      },
    );
  },
  async down({ process, spec, ready, context }) {
    if (!process) return;
    const { stopSignal } = spec;
    const stopGraceMs = ready ? spec.stopGraceMs : Math.min(spec.stopGraceMs, UNREADY_GRACE_MS);
    await stopProcess(process, { stopSignal, stopGraceMs }, context.clock);
    await process.remove();
  },
};
