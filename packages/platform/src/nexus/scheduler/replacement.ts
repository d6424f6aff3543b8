// An instance that no longer answers is replaced: the new one first, then the old one goes.
import type { NexusContext } from '../context.ts';
import { KEYS } from '../documents/repository.ts';
import type { AppDocument, InstanceDocument } from '../documents/schemas.ts';
import { createInstance } from './create-instance.ts';
import { stopInstance } from './retire-instance.ts';

/**
 * Called again with every look at the state. First call: the successor is made. Once that is ready,
 * it takes over and the old one is stopped, without a grace: it does not answer anyway.
 */
export async function replaceUnresponsive(
  context: NexusContext,
  app: AppDocument,
  instance: InstanceDocument,
): Promise<void> {
  if (instance.desired !== 'running' || instance.onProbation) return;
  if (app.activeDeploy !== undefined) return;
  const siblings = await context.repository.instances(app.id);
  const successor = siblings.find(
    (other) =>
      other.onProbation &&
      other.desired === 'running' &&
      other.processType === instance.processType &&
      other.index === instance.index,
  );
  if (!successor) {
    await createInstance(context, app.id, { ...instance, onProbation: true });
    return;
  }
  const observed = context.runner
    .observe()
    .find((other) => other.instanceId === successor.instanceId);
  if (observed?.state === 'ready') await takeOver(context, app, successor, instance);
  if (observed?.state === 'failed') await stopInstance(context, app.id, successor.instanceId);
}

async function takeOver(
  context: NexusContext,
  app: AppDocument,
  successor: InstanceDocument,
  instance: InstanceDocument,
): Promise<void> {
  await context.repository.store.transact(
    [],
    [
      {
        kind: 'put',
        key: KEYS.instance(app.id, successor.instanceId),
        value: { ...successor, onProbation: false },
      },
      {
        kind: 'put',
        key: KEYS.instance(app.id, instance.instanceId),
        value: { ...instance, desired: 'stopped' },
      },
    ],
  );
}
