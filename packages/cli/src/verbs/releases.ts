// `tandem releases`: what was live, and what is.
import type { ReleaseSummary } from '@tandem/protocol';
import { formatAgo } from '../output/quantities.ts';
import type { Verb } from '../verb.ts';

export const releases: Verb = {
  name: 'releases',
  summary: 'List the releases of an app, newest first.',
  scope: 'app',
  async run({ session }) {
    const { output } = session;
    const app = await session.app();
    const list = await (await session.client()).listReleases(app);
    output.document({ app, releases: list });
    if (list.length === 0)
      return output.text(`"${app}" has no release yet: tandem deploy -a ${app}`);
    const nowMs = Date.now();
    output.table(
      ['REL', '', 'KIND', 'WHEN', 'PYTHON', 'MIGRATIONS', 'NOTE'],
      list.map((release) => row(release, nowMs)),
    );
  },
};

function row(release: ReleaseSummary, nowMs: number): string[] {
  const image = release.imageOf === undefined ? '' : `image of v${release.imageOf}`;
  return [
    `v${release.number}`,
    release.current ? 'live' : '',
    release.kind,
    formatAgo(release.createdAtMs, nowMs),
    release.python,
    String(release.migrationsApplied),
    [image, release.note].filter((text) => text !== '').join('; '),
  ];
}
