// Whether the new instances fit beside the old ones, asked with what the node has free and what the
// old ones use right now.
import { TandemError } from '@tandem/protocol';
import { LIMITS } from '../../domain/limits.ts';
import type { InstancePlan } from '../../domain/formation.ts';
import { decideRoom, expectedMemoryBytes, type RoomDecision } from '../../domain/room.ts';
import type { PhaseInput } from './phase.ts';

/** Throws NO_ROOM. */
export async function findRoom(input: PhaseInput, plan: InstancePlan): Promise<RoomDecision> {
  const { context, app } = input;
  const old = plan.retire.map(({ instanceId, processType }) => ({
    processType,
    memoryBytes: input.keeper.observed(instanceId)?.memoryBytes ?? 0,
  }));
  const usedBytes = (processType: string): number =>
    Math.max(0, ...old.filter((o) => o.processType === processType).map((o) => o.memoryBytes));
  const decision = decideRoom({
    freeBytes: await context.availableMemoryBytes(),
    reserveBytes: LIMITS.room.reserveBytes,
    old,
    new: plan.create.map(({ processType, memoryBytes }) => ({
      processType,
      memoryBytes: expectedMemoryBytes(memoryBytes, usedBytes(processType)),
    })),
  });
  if (decision.plan !== 'refuse') return decision;
  throw new TandemError('NO_ROOM', `app "${app.name}": ${decision.reason}`, {
    hint: `tandem scale -a ${app.name} web=:256M   (or free memory: tandem apps)`,
  });
}
