// `tandem restart`: new processes of the same release, without downtime.
import type { Verb } from '../verb.ts';

export const restart: Verb = {
  name: 'restart',
  summary: 'Replace every process of an app by a new one, without downtime.',
  scope: 'app',
  options: [['--detach', 'return without waiting']],
  async run({ session, options }) {
    const app = await session.app();
    const started = await (await session.client()).restart(app);
    const { watchDeploy } = await import('../deploy/watch.ts');
    return await watchDeploy(session, started, { detach: options['detach'] === true });
  },
};
