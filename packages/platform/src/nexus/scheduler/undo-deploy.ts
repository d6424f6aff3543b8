// Takes back what a failed or cancelled deploy began: its instances go, its release is marked, and
// the old release has all its instances again. Safe to repeat.
import { planInstances } from '../../domain/formation.ts';
import { instanceAddresses } from '../../domain/installation.ts';
import { KEYS } from '../documents/repository.ts';
import type { AppDocument, InstanceDocument, ReleaseDocument } from '../documents/schemas.ts';
import type { DeployRunOptions } from './deploy-run-options.ts';

export async function undoDeploy(options: DeployRunOptions): Promise<void> {
  const { context, appId, number, keeper, routes } = options;
  const deploy = await context.repository.deploy(appId, number);
  const app = await context.repository.app(appId);
  if (!deploy || !app) return;
  for (const id of deploy.value.newInstances) await stopInstance(options, id);
  if (deploy.value.release !== undefined) {
    await context.repository.modify<ReleaseDocument>(
      KEYS.release(appId, deploy.value.release),
      (release) => (release.state === 'live' ? release : { ...release, state: 'failed' }),
    );
  }
  await restoreInstances(options, app.value);
  routes.release(appId);
  await routes.publish(appId);
  await keeper.refresh();
}

async function stopInstance({ context, appId }: DeployRunOptions, id: string): Promise<void> {
  const key = KEYS.instance(appId, id);
  await context.repository.update([key], (read) => {
    const instance = read.get(key) as InstanceDocument | undefined;
    if (!instance) return { writes: [], result: undefined };
    const value: InstanceDocument = { ...instance, desired: 'stopped' };
    return { writes: [{ kind: 'put', key, value }], result: undefined };
  });
}

/** Old instances that gave way to new ones (no room for both) come back. */
async function restoreInstances({ context }: DeployRunOptions, app: AppDocument): Promise<void> {
  const release = app.currentRelease;
  if (release === undefined) return;
  const plan = planInstances({
    existing: await context.repository.instances(app.id),
    formation: app.formation,
    release,
    replaceAll: false,
  });
  for (const wanted of plan.create) {
    const address = await context.repository.takeAddresses(1);
    const { nextInstance } = await context.repository.modifyApp(app.id, (document) => ({
      ...document,
      nextInstance: document.nextInstance + 1,
    }));
    const instanceId = `a${app.id}-${nextInstance - 1}`;
    const value: InstanceDocument = {
      schemaVersion: 1,
      instanceId,
      release,
      ...wanted,
      desired: 'running',
      onProbation: false,
      ...instanceAddresses(context.installation, address),
      createdAtMs: context.clock.nowMs(),
    };
    const key = KEYS.instance(app.id, instanceId);
    await context.repository.store.transact([{ key, revision: 0 }], [{ kind: 'put', key, value }]);
  }
}
