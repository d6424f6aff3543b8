// An instance that no longer answers is replaced: the new one first, then the old one goes.
import { instanceAddresses } from '../../domain/installation.ts';
import type { NexusContext } from '../context.ts';
import { KEYS } from '../documents/repository.ts';
import type { AppDocument, InstanceDocument } from '../documents/schemas.ts';

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
    await makeSuccessor(context, app, instance);
    return;
  }
  const observed = context.runner
    .observe()
    .find((other) => other.instanceId === successor.instanceId);
  if (observed?.state === 'ready') await takeOver(context, app, successor, instance);
  if (observed?.state === 'failed') await drop(context, app, successor);
}

async function makeSuccessor(
  context: NexusContext,
  app: AppDocument,
  instance: InstanceDocument,
): Promise<void> {
  const address = await context.repository.takeAddresses(1);
  const { nextInstance } = await context.repository.modifyApp(app.id, (document) => ({
    ...document,
    nextInstance: document.nextInstance + 1,
  }));
  const instanceId = `a${app.id}-${nextInstance - 1}`;
  const value: InstanceDocument = {
    ...instance,
    instanceId,
    onProbation: true,
    createdAtMs: context.clock.nowMs(),
    ...instanceAddresses(context.installation, address),
  };
  const key = KEYS.instance(app.id, instanceId);
  await context.repository.store.transact([{ key, revision: 0 }], [{ kind: 'put', key, value }]);
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

async function drop(
  context: NexusContext,
  app: AppDocument,
  successor: InstanceDocument,
): Promise<void> {
  const value: InstanceDocument = { ...successor, desired: 'stopped' };
  const key = KEYS.instance(app.id, successor.instanceId);
  await context.repository.store.transact([], [{ kind: 'put', key, value }]);
}
