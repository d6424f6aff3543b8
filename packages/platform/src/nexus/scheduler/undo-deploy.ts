// Takes back what a failed or cancelled deploy began: its instances go, its release is marked, and
// the old release has all its instances again. Safe to repeat.
import { planInstances } from '../../domain/formation.ts';
import { KEYS } from '../documents/repository.ts';
import type { AppDocument, ReleaseDocument } from '../documents/schemas.ts';
import { createInstance } from './create-instance.ts';
import type { DeployRunOptions } from './deploy-run-options.ts';
import { stopInstance } from './retire-instance.ts';

export async function undoDeploy(options: DeployRunOptions): Promise<void> {
  const { context, appId, number, keeper, routes } = options;
  const deploy = await context.repository.deploy(appId, number);
  const app = await context.repository.app(appId);
  if (!deploy || !app) return;
  for (const id of deploy.value.newInstances) await stopInstance(context, appId, id);
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

/** Old instances that gave way to new ones (no room for both) come back. */
async function restoreInstances({ context }: DeployRunOptions, app: AppDocument): Promise<void> {
  const release = app.currentRelease;
  if (release === undefined) return;
  const plan = planInstances({
    existing: await context.repository.instances(app.id),
    formation: app.formation,
    release,
  });
  for (const wanted of plan.create) {
    await createInstance(context, app.id, { ...wanted, release, onProbation: false });
  }
}
