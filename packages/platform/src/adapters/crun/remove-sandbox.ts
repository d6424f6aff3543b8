// Takes a sandbox apart, whole or half-made, from what lies in its directory. Every step is
// idempotent; the directory goes last, so that after a crash the sweep finds the rest.
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { conmonEnded } from '../../lib/conmon.ts';
import type { SandboxNetwork } from '../../ports/sandbox.ts';
import { destroyCgroup } from './cgroups.ts';
import { cgroupPath, sandboxDirectory, type CrunContext } from './context.ts';
import { unmountAll } from './overlay.ts';

export async function removeSandbox(context: CrunContext, id: string): Promise<void> {
  await context.removals.run(id, () => takeApart(context, id));
}

async function takeApart(context: CrunContext, id: string): Promise<void> {
  const { options, cgroups, exits, exitDirectory, crun } = context;
  const directory = sandboxDirectory(context, id);
  await destroyCgroup(cgroups, cgroupPath(context, id));
  await conmonEnded(directory, id);
  // Whoever waits learns the true status, if there is one, before the file goes.
  exits.settle(id, await exits.statusOf(id));
  await Promise.all([
    detachNetwork(context, directory),
    unmountAll(join(directory, 'rootfs')),
    options.scratch.remove(id),
  ]);
  // What `crun delete` would do for a container whose processes and cgroups are gone.
  await rm(join(crun.stateDirectory, id), { recursive: true, force: true });
  await rm(join(exitDirectory, id), { force: true });
  await rm(directory, { recursive: true, force: true });
}

async function detachNetwork({ options }: CrunContext, directory: string): Promise<void> {
  const note = await readFile(join(directory, 'network.json'), 'utf8').catch(() => undefined);
  // Cut off by a power cut or a full disk: nothing was attached yet.
  if (note === undefined || !note.endsWith('}')) return;
  await options.network.detach(JSON.parse(note) as SandboxNetwork);
}
