// Stops an installation whatever state it is in: first in order, through the agent; then by sweeping
// what is left. Every step may find nothing to do, so it can be run again and after a crash.
import { readFile, rm } from 'node:fs/promises';
import { findInstallation } from '../../adapters/installation-registry/installation-file.ts';
import { SlotRegistry, type HeldSlot } from '../../adapters/installation-registry/slots.ts';
import { createInstanceNetwork } from '../../adapters/instance-network/instance-network.ts';
import { removeCgroups } from '../../adapters/leftovers/cgroups.ts';
import { endProcesses } from '../../adapters/leftovers/end-processes.ts';
import { findLeftovers } from '../../adapters/leftovers/find-leftovers.ts';
import { markOf, type Mark } from '../../adapters/leftovers/mark.ts';
import { detachLoopDevices, findMounts, unmountAll } from '../../adapters/leftovers/mounts.ts';
import { Supervisor } from '../../adapters/s6/supervisor.ts';
import type { Installation } from '../../domain/installation.ts';
import { COMMAND_ENV } from '../../lib/run-command.ts';
import { pathsOf, platformLogs, superviseDirectory, type Paths } from '../../ports/paths.ts';
import { withInstallationLock } from './lock.ts';
import { DEFAULT_NAME, type DownOptions } from './options.ts';
import { removeWrapper } from './wrapper.ts';

/** Drain, stop and a checkpoint of every database. */
const AGENT_TIMEOUT_MS = 150_000;
const SUPERVISOR_TIMEOUT_MS = 90_000;
const SWEEP = { graceMs: 15_000, killTimeoutMs: 30_000 };

export interface TornDown {
  readonly found: boolean;
  /** What could not be removed; normally nothing. */
  readonly leftovers: readonly string[];
}

export async function tearDown(
  options: DownOptions,
  say: (line: string) => void,
): Promise<TornDown> {
  return await withInstallationLock(options.name, say, async () => {
    const slots = new SlotRegistry();
    const held = await slots.find(options.name);
    const roots = {
      data: held?.dataRoot ?? options.dataRoot,
      run: held?.runRoot ?? options.runRoot,
    };
    const paths = pathsOf(options.name, roots);
    const installation = await identify(paths, held, say);
    if (!installation) return { found: false, leftovers: [] };

    const mark = markOf(installation, paths);
    await stopInOrder(paths, say);
    const leftovers = await sweep(installation, paths, mark);
    if (options.purge && leftovers.length === 0) await purge(installation, paths, slots);
    return { found: true, leftovers };
  });
}

/** A damaged identity file must not keep anybody from stopping it: the slot names enough. */
async function identify(
  paths: Paths,
  held: HeldSlot | undefined,
  say: (line: string) => void,
): Promise<Installation | undefined> {
  try {
    const installation = await findInstallation(paths);
    if (installation) return installation;
  } catch (error) {
    say((error as Error).message);
  }
  if (!held) return undefined;
  const unknown = {
    id: 'unknown',
    // Discarded everywhere (RFC 6666), so no machine has routes to it.
    ipv6Prefix: '100:0:0:0',
    nodeName: '',
    suffix: '',
    httpPort: 0,
  };
  return { schemaVersion: 1, name: held.name, slot: held.slot, ...unknown };
}

async function stopInOrder(paths: Paths, say: (line: string) => void): Promise<void> {
  const supervisor = new Supervisor({
    scanDirectory: superviseDirectory(paths),
    logDirectory: platformLogs(paths),
    env: COMMAND_ENV,
  });
  if (!(await supervisor.running())) return;
  say('Stopping apps and databases');
  if (!(await supervisor.finish('agent', 'SIGUSR2', AGENT_TIMEOUT_MS))) {
    say('The agent does not end; its instances are ended without it');
  }
  await supervisor.shutDown(SUPERVISOR_TIMEOUT_MS);
}

async function sweep(installation: Installation, paths: Paths, mark: Mark): Promise<string[]> {
  await endProcesses(mark, SWEEP);
  await unmountAll(mark);
  await detachLoopDevices(mark);
  if (installation.id !== 'unknown') {
    await createInstanceNetwork({ installation }).removeNetwork();
  }
  await removeCgroups(mark);
  // Never delete through a mount: a volume may be behind it.
  if ((await findMounts(mark)).length === 0) await rm(paths.run, { recursive: true, force: true });
  return await findLeftovers(mark);
}

async function purge(installation: Installation, paths: Paths, slots: SlotRegistry): Promise<void> {
  await refuseForeignMounts(paths);
  await rm(paths.data, { recursive: true, force: true });
  await slots.release(installation.slot, installation.name);
  if (installation.name === DEFAULT_NAME) await removeWrapper();
}

async function refuseForeignMounts(paths: Paths): Promise<void> {
  const mounts = await readFile('/proc/self/mountinfo', 'utf8');
  const inside = mounts.split('\n').map((line) => line.split(' ')[4] ?? '');
  const foreign = inside.find((path) => path.startsWith(`${paths.data}/`));
  if (foreign !== undefined) throw new Error(`${foreign} is a mount of its own; unmount it first`);
}
