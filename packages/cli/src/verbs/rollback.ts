// `tandem rollback`: an earlier image and config as a new release.
import { TandemError, hasCode, toTandemError, type DeployStarted } from '@tandem/protocol';
import { ask } from '../output/ask.ts';
import type { Session } from '../session.ts';
import type { Verb } from '../verb.ts';

export const rollback: Verb = {
  name: 'rollback',
  summary: 'Go back to an earlier release: a switch, not a build.',
  scope: 'app',
  args: [['[release]', 'for example v7; default: the one before the current one']],
  options: [
    ['--force', 'although migrations applied since then stay applied'],
    ['--detach', 'return without waiting for the switch'],
  ],
  async run({ session, args: [release], options }) {
    const app = await session.app();
    const to = release === undefined ? undefined : parseRelease(release);
    const started = await goBack(session, app, to, options['force'] === true);
    const { watchDeploy } = await import('../deploy/watch.ts');
    return await watchDeploy(session, started, { detach: options['detach'] === true });
  },
};

export function parseRelease(text: string): number {
  const number = Number(/^v?([1-9][0-9]{0,8})$/.exec(text)?.[1]);
  if (!Number.isNaN(number)) return number;
  throw new TandemError('USAGE', `"${text}" is not a release.`, { hint: 'tandem releases' });
}

async function goBack(
  session: Session,
  app: string,
  to: number | undefined,
  force: boolean,
): Promise<DeployStarted> {
  const client = await session.client();
  const target = to === undefined ? {} : { to };
  try {
    return await client.rollback(app, { ...target, force });
  } catch (error) {
    if (!hasCode(error, 'ROLLBACK_PAST_MIGRATIONS') || !session.interactive) throw error;
    session.output.note(toTandemError(error).message);
    const answer = await ask(session, 'Go back all the same? The migrations stay applied. [y/N] ');
    if (!/^y(es)?$/i.test(answer)) throw error;
    return await client.rollback(app, { ...target, force: true });
  }
}
