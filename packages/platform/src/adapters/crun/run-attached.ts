// A sandbox that somebody sits at (`tandem run`): crun in the foreground instead of conmon, its
// input and output those of the session. It ends with the session.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { COMMAND_ENV, runToExit } from '../../lib/run-command.ts';
import { runInSession, TERMINAL_NAME } from '../../lib/session-process.ts';
import type {
  AttachedSession,
  ExitStatus,
  SandboxSpec,
  TerminalSize,
} from '../../ports/sandbox.ts';
import { claimDirectory, connectNetwork, makeBundle, startError } from './bundle.ts';
import type { CrunContext } from './context.ts';
import { removeSandbox } from './remove-sandbox.ts';

const RESIZE_TIMEOUT_MS = 5_000;

export async function runAttached(
  context: CrunContext,
  spec: SandboxSpec,
  session: AttachedSession,
): Promise<ExitStatus> {
  const { terminal, signal } = session;
  const directory = await claimDirectory(context, spec.id);
  // Ends whatever is inside; crun notices, and its exit ends the wait below.
  const abort = (): void => void removeSandbox(context, spec.id).catch(() => undefined);
  try {
    const env = terminal ? { TERM: TERMINAL_NAME, ...spec.env } : spec.env;
    await makeBundle(context, { ...spec, env }, directory, { terminal });
    await connectNetwork(context, spec);
    signal.throwIfAborted();
    signal.addEventListener('abort', abort, { once: true });
    const pidFile = join(directory, 'pid');
    const bundle = ['--bundle', directory, '--pid-file', pidFile];
    const afterResize = (size: TerminalSize): void => {
      void resizeInside(pidFile, size).catch(() => undefined);
    };
    const command = { argv: [...context.crun.argv, 'run', ...bundle, spec.id] as const };
    const code = await runInSession({ ...command, env: COMMAND_ENV, afterResize }, session);
    // crun has removed the cgroup and with it the count of kills.
    return { code, outOfMemory: false };
  } catch (error) {
    throw startError(spec, error);
  } finally {
    signal.removeEventListener('abort', abort);
    await removeSandbox(context, spec.id);
  }
}

/** crun does not hand a new size on to the terminal that it made inside. */
async function resizeInside(pidFile: string, { columns, rows }: TerminalSize): Promise<void> {
  const pid = Number(await readFile(pidFile, 'utf8'));
  const size = ['rows', String(rows), 'cols', String(columns)];
  await runToExit(['stty', '-F', `/proc/${pid}/fd/0`, ...size], { timeoutMs: RESIZE_TIMEOUT_MS });
}
