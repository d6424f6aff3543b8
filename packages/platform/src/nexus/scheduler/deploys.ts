// Deploys of all apps: begins them, resumes what a killed agent left, cancels. One at a time per
// app; the claim is the app document's `activeDeploy`.
import { mkdir } from 'node:fs/promises';
import { TandemError } from '@tandem/protocol';
import { KeyedMutex } from '../../lib/mutex.ts';
import type { NexusContext } from '../context.ts';
import { KEYS } from '../documents/repository.ts';
import type { AppDocument, DeployDocument } from '../documents/schemas.ts';
import { appLogsDirectory } from '../process-specs.ts';
import { DeployEvents, type Channel } from './deploy-events.ts';
import { DeployRun } from './deploy-run.ts';
import { collectGarbage } from './garbage.ts';
import type { InstanceKeeper } from './instance-keeper.ts';
import { keepStaticFiles } from './keep-static.ts';
import type { RoutePublisher } from './route-publisher.ts';

export type DeployRequest = Pick<DeployDocument, 'kind' | 'note' | 'makesRelease'> &
  Partial<Pick<DeployDocument, 'archive' | 'fromRelease' | 'formation' | 'image'>>;

export interface DeploysOptions {
  readonly context: NexusContext;
  readonly keeper: InstanceKeeper;
  readonly routes: RoutePublisher;
}

export class Deploys {
  readonly #options: DeploysOptions;
  readonly #events: DeployEvents;
  readonly #runs = new Map<string, { readonly run: DeployRun; readonly tidied: Promise<void> }>();
  /** Builds take much memory: one at a time on a node. */
  readonly #builds = new KeyedMutex();

  constructor(options: DeploysOptions) {
    this.#options = options;
    this.#events = new DeployEvents(options.context.paths, options.context.clock);
  }

  async begin(appId: number, request: DeployRequest): Promise<DeployDocument> {
    const { repository, clock } = this.#options.context;
    const deploy = await repository.update([KEYS.app(appId)], (read) => {
      const app = read.get(KEYS.app(appId)) as AppDocument | undefined;
      if (!app || app.state !== 'active') throw new TandemError('APP_NOT_FOUND', 'the app is gone');
      if (app.activeDeploy !== undefined) throw inProgress(app);
      const value: DeployDocument = {
        schemaVersion: 1,
        number: app.nextDeploy,
        ...request,
        state: 'running',
        phase: request.kind === 'deploy' ? 'build' : 'release',
        startedAtMs: clock.nowMs(),
        phasesMs: {},
        cancelRequested: false,
        newInstances: [],
        oldInstances: [],
      };
      return {
        writes: [
          { kind: 'put', key: KEYS.deploy(appId, value.number), value },
          {
            kind: 'put',
            key: KEYS.app(appId),
            value: { ...app, nextDeploy: value.number + 1, activeDeploy: value.number },
          },
        ],
        result: value,
      };
    });
    await mkdir(appLogsDirectory(this.#options.context, appId), { recursive: true, mode: 0o700 });
    await this.#run(appId, deploy.number);
    return deploy;
  }

  /** Refuses early, before an upload is read. */
  async assertIdle(app: AppDocument): Promise<void> {
    if (app.activeDeploy !== undefined) throw inProgress(app);
  }

  /** Takes up every deploy that was running when the last agent ended. */
  async resume(): Promise<void> {
    const apps = await this.#options.context.repository.apps();
    for (const app of apps) {
      if (app.activeDeploy !== undefined) await this.#run(app.id, app.activeDeploy);
    }
  }

  async cancel(appId: number, number: number): Promise<void> {
    const { repository } = this.#options.context;
    const deploy = await repository.modifyDeploy(appId, number, (document) =>
      document.state === 'running' ? { ...document, cancelRequested: true } : document,
    );
    if (deploy.state === 'running') this.#runs.get(`${appId}/${number}`)?.run.cancel();
  }

  async channel(appId: number, number: number): Promise<Channel> {
    return await this.#events.channel(appId, number);
  }

  /** Resolves when no deploy of this app is under way any more. */
  async idle(appId: number): Promise<void> {
    const runs = [...this.#runs].filter(([key]) => key.startsWith(`${appId}/`));
    await Promise.all(runs.map(([, { tidied }]) => tidied));
  }

  async #run(appId: number, number: number): Promise<void> {
    const key = `${appId}/${number}`;
    const run = new DeployRun({
      ...this.#options,
      appId,
      number,
      events: await this.#events.channel(appId, number),
      builds: this.#builds,
    });
    const tidied = run.finished
      .then(() => this.#tidy(appId, number))
      .catch((error: unknown) => {
        this.#options.context.report(`deploy ${key} could not be tidied up`, error);
      })
      .then(() => this.#events.close(appId, number))
      .finally(() => this.#runs.delete(key));
    this.#runs.set(key, { run, tidied });
  }

  /** What can wait until nobody waits for the deploy any more. */
  async #tidy(appId: number, number: number): Promise<void> {
    const { context } = this.#options;
    const app = await context.repository.app(appId);
    const deploy = await context.repository.deploy(appId, number);
    if (!app || !deploy) return;
    const { state, image } = deploy.value;
    if (state === 'live' && image) await keepStaticFiles(context, app.value, image);
    await collectGarbage(context);
  }
}

function inProgress(app: AppDocument): TandemError {
  return new TandemError(
    'DEPLOY_IN_PROGRESS',
    `deploy d${app.activeDeploy} of app "${app.name}" is under way`,
    {
      hint: `tandem deploys ${app.activeDeploy} --follow -a ${app.name}     (Ctrl-C there cancels it)`,
    },
  );
}
