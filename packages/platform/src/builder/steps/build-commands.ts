// Commands of the user's that make what the source lacks (style sheets, generated code), before the
// project is imported and its static files are collected: `build = ["make css"]` in tandem.toml.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TandemError } from '@tandem/protocol';
import { diagnose } from '../../domain/diagnosis/diagnose.ts';
import { LIMITS } from '../../domain/limits.ts';
import { mountOf, type BuildSession } from '../build-session.ts';
import type { Detection } from '../detect/detect.ts';
import { projectStep, type PrepareRequest, type ProjectStep } from './prepare-code.ts';

const LAST_LINES = 2;
const HOOK = '/opt/tandem/hook';

/** Throws TANDEM_TOML_INVALID: nobody would run them. */
export function assertNoBuildCommands({ config }: Pick<Detection, 'config'>): void {
  if (config.build === undefined) return;
  throw new TandemError('TANDEM_TOML_INVALID', 'build: this is no Python app.', {
    where: 'tandem.toml build',
    hint: 'node = { build = "SCRIPT" } names a script of package.json',
  });
}

/** Throws BUILD_COMMAND_FAILED, or the cause where one is known. */
export async function runBuildCommands(
  session: BuildSession,
  request: PrepareRequest,
): Promise<void> {
  const commands = request.detection.config.build ?? [];
  if (commands.length === 0) return;
  const step = await withHook(session, await projectStep(session, request));
  for (const [index, command] of commands.entries()) {
    await session.log.say(`build: ${command}`);
    const { exit, logTail } = await session.run({
      name: `command-${index}`,
      args: ['/bin/sh', '-e', '-c', command],
      ...step,
      network: true,
    });
    if (exit.code === 0) continue;
    const { memoryBytes } = LIMITS.build;
    const cause = diagnose({ phase: 'build', exit, logTail, memoryBytes, ...request.evidence });
    const failed = `build command "${command}" ended with exit status ${exit.code}`;
    throw TandemError.fromBody({
      code: cause?.code ?? 'BUILD_COMMAND_FAILED',
      message: `${failed}: ${cause?.message ?? lastLines(logTail)}`,
      where: cause?.where ?? 'tandem.toml build',
      hint: cause?.hint ?? 'it runs in the root of the app, without database and Redis',
    });
  }
}

/** A virtualenv that is still being packed lacks the file by which each Python of an app finds us. */
async function withHook(session: BuildSession, step: ProjectStep): Promise<ProjectStep> {
  const hook = join(session.disk.overlay, '..', 'hook');
  await mkdir(hook, { recursive: true });
  await writeFile(join(hook, 'sitecustomize.py'), 'import tandem_runtime.startup\n');
  const path = [HOOK, step.env?.['PYTHONPATH']].filter(Boolean).join(':');
  const mounts = [...step.mounts, mountOf(hook, HOOK)];
  return { ...step, env: { ...step.env, PYTHONPATH: path }, mounts };
}

function lastLines(log: string): string {
  const lines = log.trim().split('\n').slice(-LAST_LINES);
  return lines.join(' ').trim() || 'it wrote nothing';
}
