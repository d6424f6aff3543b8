// `tandem destroy`: an app and all it has. Asks for the name, because nothing brings it back.
import { TandemError, type AppSummary } from '@tandem/protocol';
import { mebibytes } from '../output/quantities.ts';
import { ask } from '../output/ask.ts';
import type { Session } from '../session.ts';
import type { Verb } from '../verb.ts';

export const destroy: Verb = {
  name: 'destroy',
  summary: 'Remove an app with its releases, logs, database, Redis and volume.',
  scope: 'app',
  options: [['--confirm <name>', 'the name of the app, instead of the question']],
  async run({ session, options }) {
    const { output } = session;
    const app = await session.app();
    const client = await session.client();
    const { volume } = await client.getApp(app);
    const typed =
      (options['confirm'] as string | undefined) ?? (await askForName(session, app, volume));
    if (typed !== app) throw notConfirmed(app);
    output.live('Destroy', `"${app}"`);
    await client.destroyApp(app, app);
    output.settle();
    const { removeLink } = await import('../link/link-file.ts');
    await removeLink(session.io.cwd, app);
    output.document({ app, destroyed: true });
    output.line('Destroyed', `"${app}"`, session.elapsedMs);
  },
};

async function askForName(
  session: Session,
  app: string,
  volume: AppSummary['volume'],
): Promise<string> {
  if (!session.interactive) throw notConfirmed(app);
  const files = volume === undefined ? '' : `, and its volume with ${used(volume)}`;
  session.output.note(`This removes "${app}" with its releases, logs, database and Redis${files}.`);
  return await ask(session, `Type the name of the app to go on: `);
}

function used({ usedBytes, paths }: NonNullable<AppSummary['volume']>): string {
  const size = usedBytes === undefined ? 'what the app wrote' : `${mebibytes(usedBytes)} MB`;
  return paths.length === 0 ? size : `${size} (${paths.join(', ')})`;
}

function notConfirmed(app: string): TandemError {
  return new TandemError('CONFIRMATION_NEEDED', `"${app}" was not destroyed: not confirmed.`, {
    hint: `tandem destroy -a ${app} --confirm ${app}`,
  });
}
