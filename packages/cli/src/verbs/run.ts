// `tandem run`: a command in a new process of the current release.
import type { Verb } from '../verb.ts';

const SHELL = ['/bin/sh'] as const;

export const run: Verb = {
  name: 'run',
  summary:
    "Run a command in a new process of the app's release; with a terminal when you have one.",
  scope: 'app',
  args: [['[command...]', 'the command and its arguments; default: a shell']],
  examples: [
    'tandem run -- python manage.py createsuperuser',
    'tandem run -a bakery -- python manage.py loaddata - < data.json',
  ],
  passThrough: true,
  async run({ session, args }) {
    const { io } = session;
    const { attach, terminalSize } = await import('../run/attach.ts');
    const app = await session.app();
    const terminal = io.stdin.isTTY === true && io.stdout.isTTY === true;
    const term = io.env['TERM'];
    const client = await session.client();
    const connection = await client.run(app, {
      command: args.length > 0 ? [...args] : [...SHELL],
      terminal,
      ...(terminal ? terminalSize(io) : { columns: 0, rows: 0 }),
      ...(terminal && term ? { term } : {}),
    });
    return await attach({ connection, io, terminal });
  },
};
