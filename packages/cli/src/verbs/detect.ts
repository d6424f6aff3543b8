// `tandem detect`: what a deploy would find in a folder, and why; nothing is built.
import { resolve } from 'node:path';
import type { Verb } from '../verb.ts';

export const detect: Verb = {
  name: 'detect',
  summary: 'Show what the platform finds in a folder, and why, without deploying it.',
  scope: 'platform',
  args: [['[folder]', 'source folder; default: the current one']],
  async run({ session, args: [folder = '.'] }) {
    const { output } = session;
    const { uploadFolder } = await import('../deploy/upload.ts');
    const path = resolve(session.io.cwd, folder);
    const { client } = await session.connect(path);
    const { answer: findings } = await uploadFolder(session, path, (archive, signal) =>
      client.detect(archive, signal),
    );
    output.document({ findings });
    output.table(
      ['RULE', 'FOUND', 'WHERE', 'WHY'],
      findings.map(({ rule, value, evidence, why }) => [rule, value, evidence ?? '-', why]),
    );
  },
};
