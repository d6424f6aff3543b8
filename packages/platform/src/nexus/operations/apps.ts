// Apps: listing, making, taking away.
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { TandemError, type AppSummary } from '@tandem/protocol';
import { appDirectory, keptStatic, volumesDirectory } from '../../ports/paths.ts';
import type { ControlBackend } from '../control/backend.ts';
import { makeSecretKey } from '../app-secrets.ts';
import type { VolumePlan } from '../../domain/volume.ts';
import { KEYS } from '../documents/repository.ts';
import type { AppDocument, InstanceDocument } from '../documents/schemas.ts';
import { appLogsDirectory, urlsOf } from '../process-specs.ts';
import { attachedServices, ownInstances } from '../services.ts';
import { collectGarbage } from '../scheduler/garbage.ts';
import type { OperationsContext } from './context.ts';
import { removeDomains } from './domains.ts';

const STOP_TIMEOUT_MS = 60_000;

type AppOperations = Pick<ControlBackend, 'listApps' | 'createApp' | 'getApp' | 'destroyApp'>;

export function appOperations(context: OperationsContext): AppOperations {
  const { repository } = context;
  return {
    async listApps() {
      const apps = await repository.apps();
      const summaries = await Promise.all(apps.map((app) => summarize(context, app)));
      return summaries.toSorted((a, b) => a.name.localeCompare(b.name));
    },
    async createApp(name) {
      return await summarize(context, await createApp(context, name));
    },
    async getApp(name) {
      return await summarize(context, await repository.appByName(name));
    },
    async destroyApp(name) {
      await destroyApp(context, await repository.appByName(name));
    },
  };
}

export async function createApp(context: OperationsContext, name: string): Promise<AppDocument> {
  const { repository, secrets, clock } = context;
  // Ids are never used again, so one that is lost to a taken name costs nothing.
  const appId = await repository.takeAppId();
  return await repository.update([KEYS.appName(name)], (read) => {
    if (read.has(KEYS.appName(name))) {
      throw new TandemError('APP_NAME_TAKEN', `there is an app "${name}" already`, {
        hint: `tandem deploy -a ${name}   (deploys to it)`,
      });
    }
    const value: AppDocument = {
      schemaVersion: 1,
      id: appId,
      name,
      createdAtMs: clock.nowMs(),
      state: 'active',
      formation: {},
      nextRelease: 1,
      nextDeploy: 1,
      nextInstance: 1,
      secretKey: makeSecretKey(secrets, appId),
    };
    return {
      writes: [
        { kind: 'put', key: KEYS.appName(name), value: { schemaVersion: 1, appId } },
        { kind: 'put', key: KEYS.app(appId), value },
      ],
      result: value,
    };
  });
}

async function summarize(context: OperationsContext, app: AppDocument): Promise<AppSummary> {
  const { repository, keeper } = context;
  const instances = await repository.instances(app.id);
  const serving = instances.filter((one) => one.desired === 'running' && !one.onProbation);
  const ready = serving.filter((one) => keeper.observed(one.instanceId)?.state === 'ready').length;
  const release =
    app.currentRelease === undefined
      ? undefined
      : await repository.release(app.id, app.currentRelease);
  const volume = await volumeOf(context, app.id, release?.value.image.volume);
  return {
    id: app.id,
    name: app.name,
    urls: urlsOf(context, app),
    ...(app.currentRelease === undefined ? {} : { release: app.currentRelease }),
    ...(release === undefined ? {} : { framework: release.value.image.framework }),
    state: stateOf(app, ready, serving.length),
    instances: { ready, desired: serving.length },
    formation: app.formation,
    createdAtMs: app.createdAtMs,
    ...(volume === undefined ? {} : { volume }),
  };
}

async function volumeOf(
  { runner }: OperationsContext,
  appId: number,
  plan: VolumePlan | undefined,
): Promise<AppSummary['volume']> {
  const use = await runner.volumeUse(appId);
  if (use === undefined && plan === undefined) return undefined;
  return {
    sizeBytes: use?.sizeBytes ?? plan?.sizeBytes ?? 0,
    ...(use === undefined ? {} : { usedBytes: use.usedBytes }),
    paths: plan?.paths.map(({ path }) => path) ?? [],
  };
}

function stateOf(app: AppDocument, ready: number, desired: number): AppSummary['state'] {
  if (app.state === 'destroying') return 'destroying';
  if (app.activeDeploy !== undefined) return 'deploying';
  if (app.currentRelease === undefined) return 'empty';
  return ready < desired ? 'degraded' : 'live';
}

/**
 * Order matters for a kill in the middle: first nothing new can start, then what runs ends, then
 * data go, and the documents last, so that a second call finishes the work.
 */
async function destroyApp(context: OperationsContext, app: AppDocument): Promise<void> {
  const { repository, deploys, routes, keeper } = context;
  await repository.modifyApp(app.id, (document) => ({ ...document, state: 'destroying' }));
  if (app.activeDeploy !== undefined) await deploys.cancel(app.id, app.activeDeploy);
  await deploys.idle(app.id);
  await routes.publish(app.id);
  const instances = await repository.instances(app.id);
  for (const instance of instances) {
    await repository.modify<InstanceDocument>(
      KEYS.instance(app.id, instance.instanceId),
      (document) => ({ ...document, desired: 'stopped' }),
    );
  }
  await keeper.refresh();
  const gone = (): boolean => instances.every((one) => !keeper.observed(one.instanceId));
  await keeper.waitUntil(gone, AbortSignal.timeout(STOP_TIMEOUT_MS));
  await destroyServices(context, app);
  await context.runner.removeVolume(app.id);
  await removeFiles(context, app.id);
  await removeDomains(context, app);
  await removeDocuments(context, app);
  await routes.publish(app.id);
  await collectGarbage(context);
}

async function destroyServices(context: OperationsContext, app: AppDocument): Promise<void> {
  const { keeper } = context;
  const attached = await attachedServices(context, app.id);
  const own = await ownInstances(context, app);
  await keeper.refresh();
  const gone = (): boolean => own.every(({ instanceId }) => !keeper.observed(instanceId));
  await keeper.waitUntil(gone, AbortSignal.timeout(STOP_TIMEOUT_MS));
  for (const { kind } of attached) await kind.destroy(app.id);
}

async function removeFiles(context: OperationsContext, appId: number): Promise<void> {
  const directories = [
    appDirectory(context.paths, appId),
    appLogsDirectory(context, appId),
    join(volumesDirectory(context.paths), String(appId)),
    join(keptStatic(context.paths), String(appId)),
  ];
  for (const directory of directories) await rm(directory, { recursive: true, force: true });
}

async function removeDocuments(context: OperationsContext, app: AppDocument): Promise<void> {
  const { store } = context.repository;
  const { documents } = await store.list(`${KEYS.app(app.id)}/`);
  for (const { key } of documents) await store.transact([], [{ kind: 'delete', key }]);
  await store.transact(
    [],
    [
      { kind: 'delete', key: KEYS.app(app.id) },
      { kind: 'delete', key: KEYS.appName(app.name) },
    ],
  );
}
