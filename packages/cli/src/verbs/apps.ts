// `tandem apps`: what there is.
import type { AppSummary } from '@tandem/protocol';
import type { Verb } from '../verb.ts';

export const apps: Verb = {
  name: 'apps',
  summary: 'List the apps.',
  scope: 'platform',
  async run({ session }) {
    const { output } = session;
    const list = await (await session.client()).listApps();
    output.document({ apps: list });
    if (list.length === 0) output.text('No app yet. In the folder of a project: tandem deploy');
    else output.table(['NAME', 'REL', 'STATE', 'READY', 'FRAMEWORK', 'URL'], list.map(row));
  },
};

function row(app: AppSummary): string[] {
  return [
    app.name,
    app.release === undefined ? '-' : `v${app.release}`,
    app.state,
    `${app.instances.ready}/${app.instances.desired}`,
    app.framework ?? '-',
    app.urls[0] ?? '-',
  ];
}
