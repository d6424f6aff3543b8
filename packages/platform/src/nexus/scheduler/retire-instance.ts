// How an instance that runs is sent away: web instances finish their requests first, others get TERM
// and their grace at once.
import { LIMITS } from '../../domain/limits.ts';
import type { NexusContext } from '../context.ts';
import { KEYS } from '../documents/repository.ts';
import type { InstanceDocument } from '../documents/schemas.ts';

export function retired(instance: InstanceDocument, nowMs: number): InstanceDocument {
  if (instance.desired !== 'running') return instance;
  if (instance.processType !== 'web') return { ...instance, desired: 'stopped' };
  const drainUntilMs = nowMs + LIMITS.drain.webSocketMs;
  return { ...instance, desired: 'draining', drainUntilMs };
}

/** No error when it is gone. */
export async function retireInstance(
  context: NexusContext,
  appId: number,
  instanceId: string,
): Promise<void> {
  const nowMs = context.clock.nowMs();
  await change(context, KEYS.instance(appId, instanceId), (instance) => retired(instance, nowMs));
}

/** Without waiting for its requests. No error when it is gone. */
export async function stopInstance(
  context: NexusContext,
  appId: number,
  instanceId: string,
): Promise<void> {
  await change(context, KEYS.instance(appId, instanceId), (instance) => ({
    ...instance,
    desired: 'stopped',
  }));
}

async function change(
  { repository }: NexusContext,
  key: string,
  next: (instance: InstanceDocument) => InstanceDocument,
): Promise<void> {
  await repository.update([key], (read) => {
    const instance = read.get(key) as InstanceDocument | undefined;
    if (!instance) return { writes: [], result: undefined };
    return { writes: [{ kind: 'put', key, value: next(instance) }], result: undefined };
  });
}
