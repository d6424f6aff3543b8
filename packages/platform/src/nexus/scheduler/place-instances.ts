// New instances of a deploy: their documents, and their names in the deploy, appear in one
// transaction, so a killed agent's successor finds either both or nothing.
import { planInstances, type InstancePlan, type InstanceToCreate } from '../../domain/formation.ts';
import type { Write } from '../../ports/state-store.ts';
import { KEYS, put } from '../documents/repository.ts';
import type { AppDocument, DeployDocument } from '../documents/schemas.ts';
import { instanceDocument } from './create-instance.ts';
import type { PhaseInput } from './phase.ts';

/** What is still to be done, as the documents are now. */
export async function planOf({ context, app, deploy }: PhaseInput): Promise<InstancePlan> {
  const now = (await context.repository.deploy(app.id, deploy.number))?.value ?? deploy;
  const own = new Set(now.newInstances);
  return planInstances({
    existing: await context.repository.instances(app.id),
    formation: now.formation ?? {},
    release: now.release ?? app.currentRelease ?? 0,
    // A restart has no release of its own to tell old from new.
    isOutdated: ({ instanceId }) => now.kind === 'restart' && !own.has(instanceId),
  });
}

export interface Placement {
  readonly create: readonly InstanceToCreate[];
  /** Ids of instances that this deploy replaces, to be sent away at its switch. */
  readonly retire: readonly string[];
  /** New instances of a release that is live already serve as soon as they are ready. */
  readonly onProbation: boolean;
}

/** Gives the deploy as it is then. */
export async function placeInstances(
  { context, app, deploy }: PhaseInput,
  { create, retire, onProbation }: Placement,
): Promise<DeployDocument> {
  const firstAddress = await context.repository.takeAddresses(Math.max(1, create.length));
  const keys = [KEYS.app(app.id), KEYS.deploy(app.id, deploy.number)];
  return await context.repository.update(keys, (read) => {
    const appNow = read.get(KEYS.app(app.id)) as AppDocument;
    const deployNow = read.get(KEYS.deploy(app.id, deploy.number)) as DeployDocument;
    const release = deployNow.release ?? appNow.currentRelease ?? 0;
    const created = create.map((wanted, offset) =>
      instanceDocument(
        context,
        app.id,
        { ...wanted, release, onProbation },
        { number: appNow.nextInstance + offset, address: firstAddress + offset },
      ),
    );
    const next: DeployDocument = {
      ...deployNow,
      newInstances: [...deployNow.newInstances, ...created.map(({ instanceId }) => instanceId)],
      oldInstances: [...new Set([...deployNow.oldInstances, ...retire])],
    };
    const nextApp: AppDocument = { ...appNow, nextInstance: appNow.nextInstance + created.length };
    const writes: Write[] = [
      ...created.map((value) => put(KEYS.instance(app.id, value.instanceId), value)),
      put(KEYS.app(app.id), nextApp),
      put(KEYS.deploy(app.id, deploy.number), next),
    ];
    return { writes, result: next };
  });
}
