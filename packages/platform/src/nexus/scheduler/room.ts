// Whether the new instances fit beside the old ones; when they do not, the old ones go first while
// the balancers hold the app's requests.
import { TandemError } from '@tandem/protocol';
import { LIMITS } from '../../domain/limits.ts';
import type { InstancePlan } from '../../domain/formation.ts';
import { decideRoom } from '../../domain/room.ts';
import { KEYS } from '../documents/repository.ts';
import type { InstanceDocument } from '../documents/schemas.ts';
import type { PhaseInput } from './phase.ts';

export async function makeRoom(input: PhaseInput, plan: InstancePlan): Promise<void> {
  if (plan.create.length === 0) return;
  const { context, app, events, keeper } = input;
  const decision = decideRoom({
    freeBytes: await context.availableMemoryBytes(),
    reserveBytes: LIMITS.room.reserveBytes,
    oldBytes: plan.retire.map(({ instanceId }) => keeper.observed(instanceId)?.memoryBytes ?? 0),
    newBytes: plan.create.map((instance) => instance.memoryBytes),
  });
  if (decision.plan === 'beside') return;
  if (decision.plan === 'refuse') {
    throw new TandemError('NO_ROOM', `app "${app.name}": ${decision.reason}`, {
      hint: `tandem scale -a ${app.name} web=:256M   (or free memory: tandem apps)`,
    });
  }
  events.emit({ type: 'phase', phase: 'start', state: 'progress', detail: decision.reason });
  await swapInPlace(input, plan);
}

/** Requests wait; the old instances end; the start phase goes on in the room they leave. */
async function swapInPlace(input: PhaseInput, plan: InstancePlan): Promise<void> {
  const { context, app, routes, keeper, signal } = input;
  routes.hold(app.id, context.clock.nowMs() + LIMITS.hold.timeoutMs);
  const epoch = await routes.publish(app.id);
  await context.resolver.waitAcknowledged(epoch, { timeoutMs: LIMITS.hold.timeoutMs, signal });
  const ids = plan.retire.map((instance) => instance.instanceId);
  await context.resolver.waitDrained(ids, { timeoutMs: LIMITS.drain.webMs });
  for (const id of ids) {
    await context.repository.modify<InstanceDocument>(KEYS.instance(app.id, id), (instance) => ({
      ...instance,
      desired: 'stopped',
    }));
  }
  await keeper.refresh();
  await keeper.waitUntil(() => ids.every((id) => keeper.observed(id) === undefined), signal);
}
