// A web process is ready when it answers HTTP; any other when it is still there after a moment.
import { unlessOutOfMemory } from '../out-of-memory.ts';
import { waitUntilReady } from '../start-probe.ts';
import type { LifecycleHook } from './hook.ts';

/** What crashes at import does so within this time. */
const SETTLE_MS = 1_000;

export const awaitReady: LifecycleHook = {
  name: 'await-ready',
  async up(attempt) {
    const { spec, context, process, signal } = attempt;
    if (!process) return;
    if (!spec.probe) {
      await context.clock.sleep(SETTLE_MS, signal);
    } else {
      const probed = {
        spec: spec.probe,
        addresses: [spec.ipv6, spec.ipv4],
        pid: process.record.pid,
        name: spec.processName,
        clock: context.clock,
        signal,
      };
      attempt.address = await unlessOutOfMemory(attempt, () => waitUntilReady(probed));
    }
    await attempt.records.write(spec.instanceId, {
      schemaVersion: 1,
      instanceId: spec.instanceId,
      attempt: attempt.number,
      sandbox: process.record,
      ready: true,
      restarts: attempt.restarts,
      startedAtMs: attempt.startedAtMs ?? context.clock.nowMs(),
      ...(attempt.address === undefined ? {} : { address: attempt.address }),
    });
  },
};
