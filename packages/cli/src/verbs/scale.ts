// `tandem scale`: how many of each process, and how large.
import { TandemError, type ScaleRequest } from '@tandem/protocol';
import { mebibytes, parseSize, parseWhole } from '../output/quantities.ts';
import type { Session } from '../session.ts';
import type { Verb } from '../verb.ts';

export const scale: Verb = {
  name: 'scale',
  summary: 'Set the count and memory of process types; without arguments, show them.',
  scope: 'app',
  args: [['[type=count:memory...]', 'web=2, worker=1:512M, web=:1G']],
  options: [['--detach', 'return without waiting for the roll-out']],
  examples: ['tandem scale web=2 worker=1:512M'],
  async run({ session, args, options }) {
    const app = await session.app();
    if (args.length === 0) return await show(session, app);
    const started = await (await session.client()).scale(app, parseFormation(args));
    const { watchDeploy } = await import('../deploy/watch.ts');
    return await watchDeploy(session, started, { detach: options['detach'] === true });
  },
};

async function show(session: Session, app: string): Promise<void> {
  const { formation } = await (await session.client()).getApp(app);
  session.output.document({ app, formation });
  session.output.table(
    ['TYPE', 'COUNT', 'MEM'],
    Object.entries(formation).map(([type, { count, memoryBytes }]) => [
      type,
      String(count),
      `${mebibytes(memoryBytes)} MB`,
    ]),
  );
}

export function parseFormation(args: readonly string[]): ScaleRequest {
  return { processes: Object.fromEntries(args.map(parseProcess)) };
}

function parseProcess(arg: string): [string, ScaleRequest['processes'][string]] {
  const [, type, count, size] = /^([A-Za-z0-9_-]+)=([0-9]*)(?::(.+))?$/.exec(arg) ?? [];
  if (type === undefined || (count === '' && size === undefined)) {
    throw new TandemError('USAGE', `"${arg}" is not a scale.`, {
      hint: 'Write it as web=2, web=2:512M or web=:512M.',
    });
  }
  return [
    type,
    {
      ...(count ? { count: parseWhole(count, type) } : {}),
      ...(size === undefined ? {} : { memoryBytes: parseSize(size) }),
    },
  ];
}
