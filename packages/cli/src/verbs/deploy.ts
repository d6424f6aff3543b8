// `tandem deploy`: a folder becomes a release.
import { resolve } from 'node:path';
import { TandemError, hasCode, type DeployStarted } from '@tandem/protocol';
import type { AppChoice } from '../link/app-choice.ts';
import type { Session } from '../session.ts';
import type { Verb } from '../verb.ts';

const ORIGIN: Readonly<Record<AppChoice['from'], string>> = {
  option: '',
  environment: ' (TANDEM_APP)',
  link: '',
  'folder name': ' (folder name; change: -a)',
};

export const deploy: Verb = {
  name: 'deploy',
  summary: 'Bring a folder live as a new release; makes the app when it is new.',
  scope: 'app',
  args: [['[folder]', 'source folder; default: the current one']],
  options: [
    ['--retry', 'take up the last failed deploy after its build, without a new upload'],
    ['--detach', 'return as soon as the platform has the source'],
    ['--events', 'print every event as a line of JSON, as it comes'],
  ],
  examples: [
    'tandem deploy',
    'tandem deploy ./site -a bakery',
    'tandem deploy --json | jq .phasesMs',
  ],
  async run({ session, args, options }) {
    const { watchDeploy } = await import('../deploy/watch.ts');
    const watch = { events: options['events'] === true, detach: options['detach'] === true };
    if (options['retry'] === true) {
      const app = await session.app();
      const { client } = await session.connect();
      return await watchDeploy(session, await client.retryDeploy(app), watch);
    }
    const folder = resolve(session.io.cwd, args[0] ?? '.');
    const { answer, upload } = await send(session, folder);
    return await watchDeploy(session, answer, {
      ...watch,
      extra: { created: answer.created, upload },
    });
  },
};

async function send(session: Session, folder: string) {
  const { chooseAppToDeploy } = await import('../link/app-choice.ts');
  const { uploadFolder } = await import('../deploy/upload.ts');
  const { client, name } = await session.connect(folder);
  const option = session.common.app;
  const choice = await chooseAppToDeploy({ option, env: session.io.env, folder });
  await tellTarget(session, choice, name);
  const sent = await uploadFolder(session, folder, (archive, signal) =>
    client.deploy(choice.app, archive, { create: true, signal }),
  );
  await remember(session, folder, choice, sent.answer);
  return sent;
}

/** A folder name that is an app by chance must not overwrite that app. */
async function tellTarget(session: Session, choice: AppChoice, name: string): Promise<void> {
  const { client } = await session.connect();
  const exists = await client.getApp(choice.app).then(
    () => true,
    (error: unknown) => {
      if (hasCode(error, 'APP_NOT_FOUND')) return false;
      throw error;
    },
  );
  if (exists && choice.from === 'folder name') throw notLinked(choice.app);
  const what = exists ? 'app' : 'new app';
  session.output.line('Target', `${name}, ${what} "${choice.app}"${ORIGIN[choice.from]}`);
}

function notLinked(app: string): TandemError {
  return new TandemError(
    'APP_NAME_TAKEN',
    `An app "${app}" exists already, and this folder is not linked to it.`,
    {
      hint: `tandem deploy -a ${app}     (to deploy to it)\ntandem deploy -a OTHER     (to make a new app)`,
    },
  );
}

async function remember(
  session: Session,
  folder: string,
  { app, from }: AppChoice,
  started: DeployStarted,
): Promise<void> {
  if (from === 'environment' || from === 'link') return;
  const { readLink, writeLink } = await import('../link/link-file.ts');
  const on = await session.contextName();
  try {
    if (await readLink(folder)) return;
    await writeLink(folder, { app, ...(on === undefined ? {} : { on }) });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    session.output.note(`The folder could not be linked to "${started.app}": ${reason}`);
  }
}
