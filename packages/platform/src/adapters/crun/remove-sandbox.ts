// Takes a sandbox apart, whole or half-made, from what lies in its directory. Every step is
// idempotent; the directory goes last, so that after a crash the sweep finds the rest.
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { conmonPidFile } from '../../lib/conmon.ts';
import type { SandboxNetwork } from '../../ports/sandbox.ts';
import { destroyCgroup } from './cgroups.ts';
import { cgroupPath, sandboxDirectory, type CrunContext } from './context.ts';
import { unmountAll } from './overlay.ts';

const HOLDER_TIMEOUT_MS = 5_000;
const HOLDER_INTERVAL_MS = 5;

export async function removeSandbox(context: CrunContext, id: string): Promise<void> {
  const { options, cgroups, exits, exitDirectory, crun } = context;
  const directory = sandboxDirectory(context, id);
  await destroyCgroup(cgroups, cgroupPath(context, id));
  await holderEnded(directory, id);
  // Whoever waits learns the true status, if there is one, before the file goes.
  exits.settle(id, await exits.statusOf(id));
  await Promise.all([
    detachNetwork(context, directory),
    unmountAll(join(directory, 'rootfs')),
    options.scratch.remove(id),
  ]);
  // What `crun delete` would do for a container whose processes and cgroups are gone.
  await rm(join(crun.args.at(-1) ?? '', id), { recursive: true, force: true });
  await rm(join(exitDirectory, id), { force: true });
  await rm(directory, { recursive: true, force: true });
}

/** conmon writes the exit status and the last lines of the log once its process has gone. */
async function holderEnded(directory: string, id: string): Promise<void> {
  const pid = Number(await readFile(conmonPidFile(directory), 'utf8').catch(() => '0'));
  const deadline = performance.now() + HOLDER_TIMEOUT_MS;
  while (pid > 0 && (await isConmonOf(pid, id))) {
    if (performance.now() > deadline) process.kill(pid, 'SIGKILL');
    await sleep(HOLDER_INTERVAL_MS);
  }
}

async function isConmonOf(pid: number, id: string): Promise<boolean> {
  const argv = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return argv.split('\0').includes(id);
}

async function detachNetwork({ options }: CrunContext, directory: string): Promise<void> {
  const note = await readFile(join(directory, 'network.json'), 'utf8').catch(() => undefined);
  // Cut off by a power cut or a full disk: nothing was attached yet.
  if (note === undefined || !note.endsWith('}')) return;
  await options.network.detach(JSON.parse(note) as SandboxNetwork);
}
