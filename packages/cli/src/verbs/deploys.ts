// `tandem deploys`: what is under way and how the last ones went.
import { type DeployStatus } from '@tandem/protocol';
import { formatAgo, formatSeconds, parseWhole } from '../output/quantities.ts';
import type { Session } from '../session.ts';
import type { Verb } from '../verb.ts';

export const deploys: Verb = {
  name: 'deploys',
  summary: 'List the deploys of an app, or show, follow or cancel one.',
  scope: 'app',
  args: [['[number]', 'of one deploy']],
  options: [
    ['--follow', 'attach to it until its end; Ctrl-C asks to cancel'],
    ['--cancel', 'ask it to stop'],
  ],
  async run({ session, args: [number], options }) {
    const app = await session.app();
    if (number === undefined) return await list(session, app);
    const deploy = parseWhole(number.replace(/^d/, ''), 'The deploy');
    const client = await session.client();
    if (options['cancel'] === true) await client.cancelDeploy(app, deploy);
    if (options['follow'] === true) {
      const { watchDeploy } = await import('../deploy/watch.ts');
      return await watchDeploy(session, { app, deploy, created: false });
    }
    show(session, await client.getDeploy(app, deploy));
  },
};

async function list(session: Session, app: string): Promise<void> {
  const { output } = session;
  const all = await (await session.client()).listDeploys(app);
  output.document({ app, deploys: all });
  if (all.length === 0) return output.text(`"${app}" was never deployed: tandem deploy -a ${app}`);
  output.table(['DEPLOY', 'KIND', 'STATE', 'REL', 'WHEN', 'TOOK', 'ERROR'], all.map(row));
}

function row(status: DeployStatus): string[] {
  const endMs = status.finishedAtMs ?? Date.now();
  return [
    String(status.deploy),
    status.kind,
    status.state === 'running' ? `running: ${status.phase}` : status.state,
    status.release === undefined ? '-' : `v${status.release}`,
    formatAgo(status.startedAtMs, Date.now()),
    formatSeconds(endMs - status.startedAtMs),
    status.error?.code ?? '',
  ];
}

function show({ output }: Session, status: DeployStatus): void {
  output.document(status);
  const [, kind = '', state = '', release = '', when = '', took = ''] = row(status);
  output.line('Deploy', `${status.deploy} of "${status.app}", ${kind}, ${when}`);
  output.line('State', `${state}, ${took}${release === '-' ? '' : `, ${release}`}`);
  for (const [phase, ms] of Object.entries(status.phasesMs)) output.line('', phase, ms);
  if (status.error) output.line('Error', `${status.error.code}: ${status.error.message}`);
}
