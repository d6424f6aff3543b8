// The directory of a process: claimed before anything starts, removed after everything ended.
import { access, chmod, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { TandemError } from '@tandem/protocol';
import { conmonEnded, conmonOf } from '../../lib/conmon.ts';
import type { SandboxSpec } from '../../ports/sandbox.ts';
import { markOf, processDirectory, type ProcessContext } from './context.ts';
import { onHost, type PathMap } from './host-paths.ts';
import { killMarked, MARK } from './marked-processes.ts';

export const PROCESS_ID = /^[a-z0-9][a-z0-9-]{0,59}$/;

/** The directory is the claim of the id: it must not have been there. */
export async function claimDirectory(context: ProcessContext, id: string): Promise<string> {
  if (!PROCESS_ID.test(id)) throw new TandemError('SANDBOX_FAILED', `"${id}" is not a sandbox id`);
  const directory = processDirectory(context, id);
  await mkdir(directory, { mode: 0o711 }).catch((cause: unknown) => {
    throw new TandemError('SANDBOX_FAILED', `process ${id} exists already`, { cause });
  });
  return directory;
}

/** The spec with its paths as they are on the host, and the mark by which it is found. */
export async function locatedSpec(
  context: ProcessContext,
  spec: SandboxSpec,
  directory: string,
): Promise<SandboxSpec> {
  const scratch = join(directory, 'tmp');
  await mkdir(scratch);
  await chmod(scratch, 0o1777);
  for (const mount of spec.mounts) await access(mount.source);
  const layers = await Promise.all(spec.layers.map(context.options.layerDirectory));
  const map: PathMap = { mounts: spec.mounts, layers: layers.reverse(), scratch };
  const env: Record<string, string> = { HOME: scratch, TMPDIR: scratch };
  for (const [key, value] of Object.entries(spec.env)) env[key] = await onHost(value, map);
  const [file, ...args] = await Promise.all(spec.args.map((argument) => onHost(argument, map)));
  return {
    ...spec,
    args: [file ?? '', ...args],
    cwd: await onHost(spec.cwd, map),
    env: { ...env, [MARK]: markOf(context, spec.id) },
  };
}

export async function removeProcess(context: ProcessContext, id: string): Promise<void> {
  const directory = processDirectory(context, id);
  await killMarked(markOf(context, id), await conmonOf(directory, id));
  await conmonEnded(directory, id);
  context.exits.settle(id, await context.exits.statusOf(id));
  await rm(join(context.exitDirectory, id), { force: true });
  await rm(directory, { recursive: true, force: true });
}
