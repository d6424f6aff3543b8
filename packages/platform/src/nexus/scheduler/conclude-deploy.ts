// The end of a deploy: the document says how it went, the app is free for the next one, watchers
// get their last event.
import type { TandemError } from '@tandem/protocol';
import { KEYS } from '../documents/repository.ts';
import type { AppDocument, DeployDocument } from '../documents/schemas.ts';
import { urlsOf } from '../process-specs.ts';
import type { DeployRunOptions } from './deploy-run-options.ts';
import { deployStatus } from './deploy-status.ts';

export async function concludeDeploy(
  options: DeployRunOptions,
  state: 'live' | 'failed' | 'cancelled',
  error?: TandemError,
): Promise<void> {
  const { context, appId, number, events } = options;
  const keys = [KEYS.app(appId), KEYS.deploy(appId, number)];
  const { app, deploy } = await context.repository.update(keys, (read) => {
    const appNow = read.get(KEYS.app(appId)) as AppDocument;
    const { activeDeploy: _, ...idle } = appNow;
    const deployNow: DeployDocument = {
      ...(read.get(KEYS.deploy(appId, number)) as DeployDocument),
      state,
      finishedAtMs: context.clock.nowMs(),
      ...(error === undefined ? {} : { error: error.toBody() }),
    };
    return {
      writes: [
        { kind: 'put', key: KEYS.app(appId), value: idle },
        { kind: 'put', key: KEYS.deploy(appId, number), value: deployNow },
      ],
      result: { app: idle, deploy: deployNow },
    };
  });
  const status = deployStatus(app, deploy);
  events.emit({
    type: 'finished',
    status,
    urls: urlsOf(context, app),
    next: state === 'live' ? nextCommands(app, deploy) : [],
  });
  await forgetJobs(options, deploy);
}

function nextCommands(app: AppDocument, deploy: DeployDocument): string[] {
  const first = deploy.kind === 'deploy' && deploy.release === 1;
  if (first && deploy.image?.framework === 'django') {
    return [`tandem run -a ${app.name} -- python manage.py createsuperuser`];
  }
  return [];
}

async function forgetJobs({ context, appId }: DeployRunOptions, deploy: DeployDocument) {
  const names = [
    'migrate',
    ...(deploy.image?.releaseCommands ?? []).map((_, index) => `release-${index + 1}`),
  ];
  for (const name of names) {
    await context.runner.forgetJob(`j${appId}-d${deploy.number}-${name}`);
  }
}
