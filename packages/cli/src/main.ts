#!/usr/bin/env node
// Entry of the `tandem` command.
import { constants } from 'node:os';
import { EXIT } from './exit-codes.ts';
import { Interrupts } from './interrupts.ts';
import { runCli } from './run-cli.ts';
import { VERSION } from './version.ts';

const interrupts = new Interrupts(() => process.exit(EXIT.interrupted));
process.on('SIGINT', () => interrupts.press());
// Through `exit`, so that tunnels end and terminals are themselves again.
for (const signal of ['SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => process.exit(128 + constants.signals[signal]));
}
// The reader of our pipe may leave early (`tandem logs | head`).
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(EXIT.ok);
  throw error;
});

const { stdin, stdout, stderr, env } = process;
process.exitCode = await runCli(process.argv.slice(2), {
  io: { stdin, stdout, stderr, env, cwd: process.cwd() },
  interrupts,
  version: VERSION,
});
