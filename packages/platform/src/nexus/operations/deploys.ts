// Deploys: taking in a source, retrying, watching, cancelling.
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { basename, join } from 'node:path';
import { TandemError, type DeployStarted } from '@tandem/protocol';
import { appDirectory } from '../../ports/paths.ts';
import type { ControlBackend, DeployTarget } from '../control/backend.ts';
import type { AppDocument, DeployDocument } from '../documents/schemas.ts';
import { deployStatus } from '../scheduler/deploy-status.ts';
import { createApp } from './apps.ts';
import type { OperationsContext } from './context.ts';
import { lastFailed, retryOf } from './retry.ts';

type DeployOperations = Pick<
  ControlBackend,
  | 'prepareDeploy'
  | 'startDeploy'
  | 'retryDeploy'
  | 'listDeploys'
  | 'getDeploy'
  | 'cancelDeploy'
  | 'deployEvents'
>;

const uploadsDirectory = (context: OperationsContext): string =>
  join(context.paths.data, 'uploads');

/** Archives of uploads that an earlier agent did not finish. */
export async function sweepUploads(context: OperationsContext): Promise<void> {
  const directory = uploadsDirectory(context);
  const names = await readdir(directory).catch(() => []);
  for (const name of names) await rm(join(directory, name), { force: true });
}

export function deployOperations(context: OperationsContext): DeployOperations {
  const { repository, deploys } = context;
  const deployOf = async (name: string, number: number) => {
    const app = await repository.appByName(name);
    const deploy = await repository.deploy(app.id, number);
    if (!deploy) {
      throw new TandemError('DEPLOY_NOT_FOUND', `app "${name}" has no deploy d${number}`, {
        hint: `tandem deploys -a ${name}`,
      });
    }
    return { app, deploy: deploy.value };
  };
  return {
    async prepareDeploy(target) {
      const app = await findApp(context, target);
      if (app) await deploys.assertIdle(app);
      const directory = uploadsDirectory(context);
      await mkdir(directory, { recursive: true, mode: 0o700 });
      return join(directory, `${randomUUID()}.tar`);
    },
    async startDeploy(target, archivePath) {
      return await startDeploy(context, target, archivePath);
    },
    async retryDeploy(name) {
      return await retryDeploy(context, await repository.appByName(name));
    },
    async listDeploys(name) {
      const app = await repository.appByName(name);
      const documents = await repository.deploys(app.id);
      return documents
        .toSorted((a, b) => b.number - a.number)
        .map((deploy) => deployStatus(app, deploy));
    },
    async getDeploy(name, number) {
      const { app, deploy } = await deployOf(name, number);
      return deployStatus(app, deploy);
    },
    async cancelDeploy(name, number) {
      const { app } = await deployOf(name, number);
      await deploys.cancel(app.id, number);
      const after = await deployOf(name, number);
      return deployStatus(after.app, after.deploy);
    },
    async *deployEvents(name, number, { from, signal }) {
      const { app } = await deployOf(name, number);
      const channel = await deploys.channel(app.id, number);
      yield* channel.follow(from, signal);
    },
  };
}

async function findApp(
  context: OperationsContext,
  target: DeployTarget,
): Promise<AppDocument | undefined> {
  try {
    return await context.repository.appByName(target.app);
  } catch (error) {
    const missing = error instanceof TandemError && error.code === 'APP_NOT_FOUND';
    if (missing && target.create) return undefined;
    throw error;
  }
}

async function startDeploy(
  context: OperationsContext,
  target: DeployTarget,
  archivePath: string,
): Promise<DeployStarted> {
  try {
    const existing = await findApp(context, target);
    const app = existing ?? (await createApp(context, target.app));
    const directory = join(appDirectory(context.paths, app.id), 'sources');
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const archive = basename(archivePath);
    await rename(archivePath, join(directory, archive));
    const deploy = await beginOrRemove(context, app, directory, archive);
    return { app: app.name, deploy: deploy.number, created: existing === undefined };
  } catch (error) {
    await rm(archivePath, { force: true });
    throw error;
  }
}

async function beginOrRemove(
  context: OperationsContext,
  app: AppDocument,
  directory: string,
  archive: string,
): Promise<DeployDocument> {
  try {
    return await context.deploys.begin(app.id, {
      kind: 'deploy',
      note: 'deploy',
      makesRelease: true,
      archive,
    });
  } catch (error) {
    await rm(join(directory, archive), { force: true });
    throw error;
  }
}

/** With the image it built, when it came that far. */
async function retryDeploy(context: OperationsContext, app: AppDocument): Promise<DeployStarted> {
  const failed = await lastFailed(context.repository, app);
  if (!failed) {
    throw new TandemError('DEPLOY_NOT_FOUND', `app "${app.name}" has no failed deploy to retry`, {
      hint: `tandem deploy -a ${app.name}`,
    });
  }
  const deploy = await context.deploys.begin(app.id, retryOf(failed));
  return { app: app.name, deploy: deploy.number, created: false };
}
