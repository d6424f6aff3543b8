// `tandem status`: the platform itself.
import { EXIT } from '../exit-codes.ts';
import { mebibytes, plural } from '../output/quantities.ts';
import type { Verb } from '../verb.ts';

export const status: Verb = {
  name: 'status',
  summary: 'Show the health, memory and addresses of the platform.',
  scope: 'platform',
  async run({ session }) {
    const { output } = session;
    const { client, name } = await session.connect();
    const view = await client.status();
    output.document(view);
    const health = view.healthy ? 'healthy' : 'not healthy';
    output.line('Platform', `${name}, ${health}, Tandem ${view.version}`);
    output.line('Apps', `${plural(view.apps, 'app')} at ${view.urlTemplate}`);
    const { platformBytes, roomBytes, totalBytes } = view.memory;
    output.line(
      'Memory',
      `${mebibytes(platformBytes)} MB used by the platform, ` +
        `room for ${mebibytes(roomBytes)} of ${mebibytes(totalBytes)} MB`,
    );
    output.table(
      ['COMPONENT', 'STATE', 'MEM', 'DETAIL'],
      view.components.map((part) => [
        part.name,
        part.state,
        part.pssBytes === undefined ? '-' : `${mebibytes(part.pssBytes)} MB`,
        part.detail,
      ]),
    );
    for (const warning of view.warnings) output.line('Warning', warning);
    return view.healthy ? EXIT.ok : EXIT.userError;
  },
};
