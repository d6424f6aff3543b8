// A plain process that somebody sits at: a child of the agent, without conmon. It ends with the
// session.
import { runInSession, TERMINAL_NAME } from '../../lib/session-process.ts';
import type { AttachedSession, ExitStatus, SandboxSpec } from '../../ports/sandbox.ts';
import { killMarked } from './marked-processes.ts';
import { claimDirectory, locatedSpec, removeProcess } from './process-directory.ts';
import { markOf, type ProcessContext } from './context.ts';
import { commandOf } from './run-script.ts';

export async function runAttached(
  context: ProcessContext,
  spec: SandboxSpec,
  session: AttachedSession,
): Promise<ExitStatus> {
  const { terminal, signal } = session;
  const directory = await claimDirectory(context, spec.id);
  const abort = (): void => void killMarked(markOf(context, spec.id)).catch(() => undefined);
  try {
    const located = await locatedSpec(context, spec, directory);
    signal.throwIfAborted();
    signal.addEventListener('abort', abort, { once: true });
    const env = terminal ? { TERM: TERMINAL_NAME, ...located.env } : located.env;
    const argv = commandOf({ ...located, env }, context.isRoot);
    const code = await runInSession({ argv, env, cwd: located.cwd }, session);
    return { code, outOfMemory: false };
  } finally {
    signal.removeEventListener('abort', abort);
    await removeProcess(context, spec.id);
  }
}
