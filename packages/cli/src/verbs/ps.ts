// `tandem ps`: the processes of an app.
import type { ProcessView } from '@tandem/protocol';
import { mebibytes } from '../output/quantities.ts';
import type { Verb } from '../verb.ts';

export const ps: Verb = {
  name: 'ps',
  summary: 'List the processes of an app.',
  scope: 'app',
  options: [['--why', 'say why each is where and as it is']],
  async run({ session, options }) {
    const { output } = session;
    const app = await session.app();
    const processes = await (await session.client()).listProcesses(app);
    output.document({ app, processes });
    if (processes.length === 0) return output.text(`Nothing of "${app}" runs.`);
    const why = options['why'] === true;
    const head = ['NAME', 'REL', 'NODE', 'STATE', 'MEM', ...(why ? ['WHY'] : [])];
    output.table(
      head,
      processes.map((view) => [...row(view), ...(why ? [view.reason ?? ''] : [])]),
    );
  },
};

function row(view: ProcessView): string[] {
  const limit = mebibytes(view.memoryLimitBytes);
  return [
    view.name,
    view.release === 0 ? '-' : `v${view.release}`,
    view.node === '' ? '-' : view.node,
    view.state,
    view.memoryBytes === undefined ? '-' : `${mebibytes(view.memoryBytes)}/${limit} MB`,
  ];
}
