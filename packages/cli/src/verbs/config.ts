// `tandem config`: the variables of an app. A change makes a release, unless it is staged.
import { TandemError, type ConfigView } from '@tandem/protocol';
import type { Session } from '../session.ts';
import type { Options, Verb } from '../verb.ts';

const STAGE = ['--stage', 'keep the change for the next deploy instead of rolling it out'] as const;
const DETACH = ['--detach', 'return without waiting for the roll-out'] as const;
const MASK = '********';
const VALUE_BYTES_MAX = 64 * 1024;

const get: Verb = {
  name: 'get',
  summary: 'Print the value of one variable.',
  scope: 'app',
  args: [['<name>', 'name of the variable']],
  async run({ session, args: [name = ''] }) {
    const app = await session.app();
    const { entries } = await (await session.client()).getConfig(app);
    const entry = entries.find(({ key }) => key === name);
    if (!entry) {
      throw new TandemError('NOT_FOUND', `"${app}" has no variable ${name}.`, {
        hint: `tandem config -a ${app}`,
      });
    }
    session.output.document(entry);
    session.output.text(entry.value ?? MASK);
  },
};

const set: Verb = {
  name: 'set',
  summary: 'Set variables, all in one release; NAME alone takes its value from standard input.',
  scope: 'app',
  args: [['<name=value...>', 'variables with their values']],
  options: [['--secret', 'write-only: never shown again'], STAGE, DETACH],
  examples: [
    'tandem config set HOSTS=bakery.example,www.bakery.example',
    'tandem config set --secret API_KEY < key.txt',
  ],
  async run({ session, args, options }) {
    const values = await parseAssignments(session, args);
    return await change(
      session,
      { set: values, unset: [], secret: options['secret'] === true },
      options,
    );
  },
};

const unset: Verb = {
  name: 'unset',
  summary: 'Remove variables.',
  scope: 'app',
  args: [['<name...>', 'names of the variables']],
  options: [STAGE, DETACH],
  run: ({ session, args, options }) =>
    change(session, { set: {}, unset: [...args], secret: false }, options),
};

export const config: Verb = {
  name: 'config',
  summary: 'Show or change the variables of an app.',
  scope: 'app',
  children: [get, set, unset],
  async run({ session }) {
    const app = await session.app();
    const view = await (await session.client()).getConfig(app);
    session.output.document({ app, ...view });
    show(session, app, view);
  },
};

function show({ output }: Session, app: string, view: ConfigView): void {
  if (view.entries.length === 0) output.text(`"${app}" has no variables.`);
  else {
    output.table(
      ['NAME', 'VALUE', 'FROM'],
      view.entries.map(({ key, value, source }) => [key, oneCell(value ?? MASK), source]),
    );
  }
  if (view.staged) output.text('Staged changes wait for the next: tandem deploy');
}

function oneCell(value: string): string {
  return /[\n\r\u001b]/.test(value) ? JSON.stringify(value) : value;
}

async function change(
  session: Session,
  wanted: { set: Record<string, string>; unset: string[]; secret: boolean },
  options: Options,
): Promise<number | void> {
  const { output } = session;
  const app = await session.app();
  const client = await session.client();
  const stage = options['stage'] === true;
  const { revision, deploy } = await client.changeConfig(app, { ...wanted, stage });
  const names = [...Object.keys(wanted.set), ...wanted.unset].join(', ');
  output.line('Config', `${names} in "${app}"${stage ? ', staged for the next deploy' : ''}`);
  if (deploy === undefined) return output.document({ app, revision });
  const { watchDeploy } = await import('../deploy/watch.ts');
  return await watchDeploy(
    session,
    { app, deploy, created: false },
    { extra: { revision }, detach: options['detach'] === true },
  );
}

export async function parseAssignments(
  session: Session,
  args: readonly string[],
): Promise<Record<string, string>> {
  const bare = args.filter((arg) => !arg.includes('='));
  if (bare.length > 1) {
    throw new TandemError('USAGE', `${bare.join(' and ')} have no value.`, {
      hint: `tandem config set ${bare.map((name) => `${name}=VALUE`).join(' ')}`,
    });
  }
  const pairs = args.map(async (arg): Promise<[string, string]> => {
    const at = arg.indexOf('=');
    return at < 0 ? [arg, await readValue(session, arg)] : [arg.slice(0, at), arg.slice(at + 1)];
  });
  return Object.fromEntries(await Promise.all(pairs));
}

async function readValue({ io, interactive, output }: Session, name: string): Promise<string> {
  if (interactive) output.note(`Value of ${name}, then Ctrl-D:`);
  let text = '';
  for await (const chunk of io.stdin) {
    text += String(chunk);
    if (text.length > VALUE_BYTES_MAX) {
      throw new TandemError('CONFIG_KEY_INVALID', `The value of ${name} is over 64 kB.`);
    }
  }
  return text.replace(/\r?\n$/, '');
}
