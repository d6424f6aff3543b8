// Whom the workers run as.
import { chown, open } from 'node:fs/promises';
import { TandemError } from '@tandem/protocol';
import type { ProcessUser } from '../../lib/privileges.ts';
import { runToExit } from '../../lib/run-command.ts';
import { LOG_MODE } from './log-file.ts';
import type { AccessLogTarget } from './messages.ts';

const ID_TIMEOUT_MS = 10_000;

/** A name that the system knows, or a number that it need not know. */
export async function findUser(name: string): Promise<ProcessUser> {
  if (process.getuid?.() !== 0)
    throw new TandemError('USAGE', `--user ${name}: only root can become another user`, {
      hint: 'Leave out --user, or start it as root.',
    });
  if (/^\d+$/.test(name)) return { uid: Number(name), gid: Number(name) };
  const [uid, gid] = await Promise.all([idOf('-u', name), idOf('-g', name)]);
  return { uid, gid };
}

async function idOf(what: '-u' | '-g', name: string): Promise<number> {
  const { exitCode, stdout } = await runToExit(['id', what, '--', name], {
    timeoutMs: ID_TIMEOUT_MS,
  });
  if (exitCode === 0) return Number(stdout.trim());
  throw new TandemError('USAGE', `--user ${name}: there is no such user`, {
    hint: 'See getent passwd.',
  });
}

/** The file is there and is the workers' to write, also after it was rotated away. */
export async function prepareLog(
  target: AccessLogTarget,
  user: ProcessUser | undefined,
): Promise<void> {
  if (target.kind !== 'file') return;
  const file = await open(target.path, 'a', LOG_MODE).catch((error: Error) => {
    throw new TandemError('USAGE', `--access-log ${target.path}: ${error.message}`);
  });
  await file.close();
  if (user) await chown(target.path, user.uid, user.gid);
}
