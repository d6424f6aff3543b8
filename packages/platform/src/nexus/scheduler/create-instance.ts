// One more desired instance of an app, with a number and addresses that nobody else ever gets.
import { instanceAddresses } from '../../domain/installation.ts';
import type { NexusContext } from '../context.ts';
import { KEYS } from '../documents/repository.ts';
import type { InstanceDocument } from '../documents/schemas.ts';

export type InstanceWish = Pick<
  InstanceDocument,
  'release' | 'processType' | 'index' | 'memoryBytes' | 'onProbation'
>;

export async function createInstance(
  context: NexusContext,
  appId: number,
  wish: InstanceWish,
): Promise<void> {
  const address = await context.repository.takeAddresses(1);
  const { nextInstance } = await context.repository.modifyApp(appId, (app) => ({
    ...app,
    nextInstance: app.nextInstance + 1,
  }));
  const value = instanceDocument(context, appId, wish, { number: nextInstance - 1, address });
  const key = KEYS.instance(appId, value.instanceId);
  await context.repository.store.transact([{ key, revision: 0 }], [{ kind: 'put', key, value }]);
}

/** `number` and `address` must have been taken before. */
export function instanceDocument(
  context: NexusContext,
  appId: number,
  wish: InstanceWish,
  { number, address }: { number: number; address: number },
): InstanceDocument {
  return {
    schemaVersion: 1,
    instanceId: `a${appId}-${number}`,
    release: wish.release,
    processType: wish.processType,
    index: wish.index,
    memoryBytes: wish.memoryBytes,
    desired: 'running',
    onProbation: wish.onProbation,
    ...instanceAddresses(context.installation, address),
    createdAtMs: context.clock.nowMs(),
  };
}
