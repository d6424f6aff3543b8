// New instances beside the old ones; each must pass its probe. The first failure fails the deploy.
// Where memory is short they take turns, in an order that domain/room.ts found.
import { TandemError } from '@tandem/protocol';
import type { InstancePlan, InstanceToCreate } from '../../../domain/formation.ts';
import { LIMITS } from '../../../domain/limits.ts';
import type { RoomStep } from '../../../domain/room.ts';
import type { ObservedInstance } from '../../../ports/runner.ts';
import { explainFailure } from '../explain-failure.ts';
import type { Phase, PhaseInput } from '../phase.ts';
import { placeInstances, planOf } from '../place-instances.ts';
import { retireInstance, stopInstance } from '../retire-instance.ts';
import { findRoom } from '../room.ts';

export const startPhase: Phase = {
  name: 'start',
  async run(input) {
    // After a restart of the agent this is what is left of the plan.
    const plan = await planOf(input);
    const decision = await findRoom(input, plan);
    if (decision.plan !== 'beside') {
      const detail = decision.reason;
      input.events.emit({ type: 'phase', phase: 'start', state: 'progress', detail });
    }
    if (decision.plan === 'swap') await endAllWhileHeld(input, plan);
    const count =
      decision.plan === 'one-by-one'
        ? await takeTurns(input, plan, decision.steps)
        : await startAll(input, plan, plan.create);
    return {
      detail: count === 1 ? '1 instance ready' : `${count} instances ready`,
      skipped: count === 0,
    };
  },
};

/** Until the switch. What the order has after it is done by the switch phase. */
async function takeTurns(
  input: PhaseInput,
  plan: InstancePlan,
  steps: readonly RoomStep[],
): Promise<number> {
  let count = 0;
  for (const step of steps) {
    if (step.kind === 'switch') break;
    if (step.kind === 'end') await endOne(input, plan.retire[step.index]?.instanceId);
    const wanted = step.kind === 'start' ? plan.create[step.index] : undefined;
    if (wanted) count = await startAll(input, plan, [wanted]);
  }
  return count;
}

/** Resolves, once all new instances of the deploy are ready, to how many there are. */
async function startAll(
  input: PhaseInput,
  plan: InstancePlan,
  create: readonly InstanceToCreate[],
): Promise<number> {
  const retire = plan.retire.map(({ instanceId }) => instanceId);
  const { newInstances } = await placeInstances(input, { create, retire, onProbation: true });
  await input.keeper.refresh();
  await waitUntilReady(input, newInstances);
  return newInstances.length;
}

async function endOne(
  { context, app, keeper, signal }: PhaseInput,
  instanceId: string | undefined,
): Promise<void> {
  if (instanceId === undefined) return;
  await retireInstance(context, app.id, instanceId);
  await keeper.refresh();
  await keeper.waitUntil(() => keeper.observed(instanceId) === undefined, signal);
}

/** Requests wait; the old instances end; new ones start in the room they leave. */
async function endAllWhileHeld(input: PhaseInput, plan: InstancePlan): Promise<void> {
  const { context, app, routes, keeper, signal } = input;
  routes.hold(app.id, context.clock.nowMs() + LIMITS.hold.timeoutMs);
  const epoch = await routes.publish(app.id);
  await context.resolver.waitAcknowledged(epoch, { timeoutMs: LIMITS.hold.timeoutMs, signal });
  const ids = plan.retire.map((instance) => instance.instanceId);
  await context.resolver.waitDrained(ids, { timeoutMs: LIMITS.drain.webMs });
  for (const id of ids) await stopInstance(context, app.id, id);
  await keeper.refresh();
  await keeper.waitUntil(() => ids.every((id) => keeper.observed(id) === undefined), signal);
}

async function waitUntilReady(input: PhaseInput, instanceIds: readonly string[]): Promise<void> {
  const { keeper, signal } = input;
  const observe = (): (ObservedInstance | undefined)[] =>
    instanceIds.map((instanceId) => keeper.observed(instanceId));
  const failed = (): ObservedInstance | undefined =>
    observe().find((instance) => instance?.state === 'failed');
  await keeper.waitUntil(
    () => failed() !== undefined || observe().every((instance) => instance?.state === 'ready'),
    signal,
  );
  const broken = failed();
  if (!broken) return;
  const body = broken.error ?? { code: 'CRASHED_AT_START' as const, message: 'it ended at once' };
  throw await explainFailure(input, broken.instanceId, TandemError.fromBody(body));
}
