// `tandem maintenance`: a page in place of an app while its owner works on it.
import { readFile } from 'node:fs/promises';
import { TandemError } from '@tandem/protocol';
import { parseWhole } from '../output/quantities.ts';
import type { Session } from '../session.ts';
import type { Options, Verb } from '../verb.ts';

const KEY = 'maintenance';
const HTML_BYTES_MAX = 64 * 1024;

const on: Verb = {
  name: 'on',
  summary: 'Show a page in place of the app, at once; its processes go on.',
  scope: 'app',
  options: [
    ['--text <text>', 'one paragraph on the page'],
    ['--html <file>', 'a page of your own, up to 64 KiB'],
    ['--retry-after <seconds>', 'when visitors are to come again; 120 when not given'],
    ['--exempt <address...>', 'addresses and ranges that get through: yours'],
  ],
  examples: ['tandem maintenance on --text "Back at noon." --exempt 192.0.2.7'],
  async run({ session, options }) {
    const app = await session.app();
    const maintenance = await pageOf(options);
    await (await session.client()).changePolicy(app, { set: { [KEY]: maintenance }, unset: [] });
    session.output.document({ app, maintenance });
    session.output.line('Maintenance', `visitors of "${app}" see the page`);
    session.output.line('Next', `tandem maintenance off -a ${app}`);
  },
};

const off: Verb = {
  name: 'off',
  summary: 'Show the app again.',
  scope: 'app',
  async run({ session }) {
    const app = await session.app();
    await (await session.client()).changePolicy(app, { set: {}, unset: [KEY] });
    session.output.document({ app, maintenance: null });
    session.output.line('Maintenance', `visitors of "${app}" see the app`);
  },
};

export const maintenance: Verb = {
  name: 'maintenance',
  summary: 'Show a page in place of an app, or the app again.',
  scope: 'app',
  children: [on, off],
  run: ({ session }) => show(session),
};

async function show(session: Session): Promise<void> {
  const app = await session.app();
  const { policy } = await (await session.client()).getPolicy(app);
  const page = policy[KEY] as { readonly exempt?: readonly string[] } | undefined;
  session.output.document({ app, maintenance: page ?? null });
  session.output.line('Maintenance', page === undefined ? 'off' : 'on');
  if (page?.exempt !== undefined) session.output.line('Exempt', page.exempt.join(', '));
}

async function pageOf(options: Options): Promise<Record<string, unknown>> {
  const { text, html, exempt } = options;
  const retryAfter = options['retryAfter'];
  return {
    ...(typeof text === 'string' && { text }),
    ...(typeof html === 'string' && { html: await readPage(html) }),
    ...(typeof retryAfter === 'string' && { retryAfterS: parseWhole(retryAfter, '--retry-after') }),
    ...(exempt !== undefined && { exempt: [exempt].flat() }),
  };
}

async function readPage(path: string): Promise<string> {
  let page: string;
  try {
    page = await readFile(path, 'utf8');
  } catch (error) {
    throw new TandemError('USAGE', `${path} cannot be read: ${(error as Error).message}`, {
      cause: error,
    });
  }
  if (page.length <= HTML_BYTES_MAX) return page;
  throw new TandemError('USAGE', `${path} is over 64 KiB, which is the most a page may have.`);
}
