// New instances beside the old ones; each must pass its probe. The first failure fails the deploy.
import { TandemError } from '@tandem/protocol';
import { planInstances, type InstancePlan } from '../../../domain/formation.ts';
import type { ObservedInstance } from '../../../ports/runner.ts';
import type { Write } from '../../../ports/state-store.ts';
import { KEYS } from '../../documents/repository.ts';
import type { AppDocument, DeployDocument } from '../../documents/schemas.ts';
import { instanceDocument } from '../create-instance.ts';
import type { Phase, PhaseInput } from '../phase.ts';
import { makeRoom } from '../room.ts';
import { explainFailure } from '../explain-failure.ts';

export const startPhase: Phase = {
  name: 'start',
  async run(input) {
    const deploy = await placeInstances(input);
    await input.keeper.refresh();
    await waitUntilReady(input, deploy.newInstances);
    const count = deploy.newInstances.length;
    return {
      detail: count === 1 ? '1 instance ready' : `${count} instances ready`,
      skipped: count === 0,
    };
  },
};

/** Instance documents and their names in the deploy appear in one transaction. */
async function placeInstances(input: PhaseInput): Promise<DeployDocument> {
  const { context, app, deploy } = input;
  const now = await context.repository.deploy(app.id, deploy.number);
  if (now && now.value.newInstances.length + now.value.oldInstances.length > 0) return now.value;
  const plan = planInstances({
    existing: await context.repository.instances(app.id),
    formation: deploy.formation ?? {},
    release: deploy.release ?? app.currentRelease ?? 0,
    replaceAll: deploy.kind === 'restart',
  });
  await makeRoom(input, plan);
  const firstAddress = await context.repository.takeAddresses(Math.max(1, plan.create.length));
  return await recordPlan(input, plan, firstAddress);
}

async function recordPlan(
  input: PhaseInput,
  plan: InstancePlan,
  firstAddress: number,
): Promise<DeployDocument> {
  const { context, app, deploy } = input;
  const keys = [KEYS.app(app.id), KEYS.deploy(app.id, deploy.number)];
  const release = deploy.release ?? app.currentRelease ?? 0;
  return await context.repository.update(keys, (read) => {
    const appNow = read.get(KEYS.app(app.id)) as AppDocument;
    const deployNow = read.get(KEYS.deploy(app.id, deploy.number)) as DeployDocument;
    const created = plan.create.map((wanted, offset) =>
      instanceDocument(
        context,
        app.id,
        { ...wanted, release, onProbation: true },
        { number: appNow.nextInstance + offset, address: firstAddress + offset },
      ),
    );
    const next: DeployDocument = {
      ...deployNow,
      newInstances: created.map((instance) => instance.instanceId),
      oldInstances: plan.retire.map((instance) => instance.instanceId),
    };
    const writes: Write[] = [
      ...created.map((value) => ({
        kind: 'put' as const,
        key: KEYS.instance(app.id, value.instanceId),
        value,
      })),
      {
        kind: 'put',
        key: KEYS.app(app.id),
        value: { ...appNow, nextInstance: appNow.nextInstance + created.length },
      },
      { kind: 'put', key: KEYS.deploy(app.id, deploy.number), value: next },
    ];
    return { writes, result: next };
  });
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
