// The Sandbox of choice: an OCI container per process, run by crun and held by conmon, so that it
// outlives the agent. What can be prepared side by side is, because a start delays a deploy:
//
//   conmon starts, blocked      |                   crun create   |
//   root files -> overlay mount |-> config.json -> |              |-> onRecord -> crun start
//   scratch disk                |                   addresses and |
//   empty network namespace     |                   routes        |
//
// Everything of a sandbox lies in one directory; `remove` works from that alone.
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TandemError } from '@tandem/protocol';
import { cgroupRoot, type Installation } from '../../domain/installation.ts';
import { readBootId } from '../../lib/boot-id.ts';
import { prepareConmon, type HeldProcess } from '../../lib/conmon.ts';
import { exists } from '../../lib/exists.ts';
import { ExitWatch } from '../../lib/exit-watch.ts';
import { KeyedMutex } from '../../lib/mutex.ts';
import { identify } from '../../lib/process-identity.ts';
import { sandboxes } from '../../ports/paths.ts';
import type {
  Sandbox,
  SandboxCapabilities,
  SandboxRecord,
  SandboxSpec,
} from '../../ports/sandbox.ts';
import { claimDirectory, connectNetwork, makeBundle, startError, valueOf } from './bundle.ts';
import { destroyCgroup, detectCgroups, listCgroups, startGracePeriod } from './cgroups.ts';
import {
  commonRoot,
  SANDBOX_ID,
  sandboxDirectory,
  type CrunContext,
  type CrunSandboxOptions,
} from './context.ts';
import { crunCommand, runCrun, type CrunCommand } from './crun-command.ts';
import { CrunProcess } from './crun-process.ts';
import { removeSandbox } from './remove-sandbox.ts';
import { writeCommonFiles } from './root-files.ts';
import { runAttached } from './run-attached.ts';
import { SECCOMP_PROFILE_PATH, toOciSeccomp, type Seccomp } from './seccomp.ts';

const CAPABILITIES: SandboxCapabilities = {
  name: 'crun',
  rootFileSystem: true,
  networkNamespace: true,
  ownUser: true,
  memoryLimit: true,
  cpuLimit: true,
  pidsLimit: true,
  diskLimit: true,
  seccomp: true,
  survivesAgent: true,
};

const CREATE_TIMEOUT_MS = 30_000;

export async function createCrunSandbox(options: CrunSandboxOptions): Promise<Sandbox> {
  const exitDirectory = join(options.paths.run, 'exits');
  const stateDirectory = join(options.paths.run, 'crun');
  for (const directory of [sandboxes(options.paths), exitDirectory, stateDirectory]) {
    await mkdir(directory, { recursive: true, mode: 0o700 });
  }
  const cgroups = await detectCgroups();
  const context: CrunContext = {
    options,
    cgroups,
    crun: crunCommand(cgroups.mode, stateDirectory),
    seccomp: await readSeccomp(options.seccompProfilePath ?? SECCOMP_PROFILE_PATH),
    exits: new ExitWatch(exitDirectory),
    removals: new KeyedMutex(),
    exitDirectory,
    bootId: await readBootId(),
  };
  await writeCommonFiles(commonRoot(options.paths), options.caBundlePath);
  return {
    capabilities: CAPABILITIES,
    start: (spec, onRecord) => start(context, spec, onRecord),
    runAttached: (spec, session) => runAttached(context, spec, session),
    adopt: (record) => adopt(context, record),
    sweep: (isKnown) => sweep(context, isKnown),
  };
}

async function readSeccomp(path: string): Promise<Seccomp> {
  const profile = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new TandemError('MACHINE_UNFIT', `the seccomp profile ${path} cannot be read`, {
      hint: 'apt-get install golang-github-containers-common',
      cause,
    });
  });
  return toOciSeccomp(profile, process.arch);
}

async function start(
  context: CrunContext,
  spec: SandboxSpec,
  onRecord: (record: SandboxRecord) => Promise<void> = async () => undefined,
): Promise<CrunProcess> {
  startGracePeriod(context.cgroups);
  const directory = await claimDirectory(context, spec.id);
  const [runtime, ...runtimeArgs] = context.crun.argv;
  const conmon = prepareConmon({
    id: spec.id,
    directory,
    runtime,
    runtimeArgs,
    exitDirectory: context.exitDirectory,
    logPath: spec.logPath,
  });
  try {
    await makeBundle(context, spec, directory, { holderPid: conmon.pid });
    // Both are awaited, also after a failure: nothing may still be made while it is being removed.
    const [created, connected] = await Promise.allSettled([
      conmon.create(CREATE_TIMEOUT_MS),
      connectNetwork(context, spec),
    ]);
    valueOf(connected);
    const held = valueOf(created);
    const record = await recordOf(context, spec.id, held);
    await onRecord(record);
    await runCrun(context.crun, 'start', spec.id);
    return new CrunProcess(context, record);
  } catch (error) {
    conmon.abandon();
    await removeSandbox(context, spec.id);
    throw startError(spec, error);
  }
}

async function recordOf(
  context: CrunContext,
  id: string,
  { pid, conmonPid }: HeldProcess,
): Promise<SandboxRecord> {
  const [main, holder] = await Promise.all([identify(pid), identify(conmonPid)]);
  if (main.startTicks === 0) throw new Error(`process ${pid} ended before it was started`);
  return {
    schemaVersion: 1,
    sandbox: 'crun',
    id,
    bootId: context.bootId,
    pid,
    pidStartTicks: main.startTicks,
    detail: { conmonPid, conmonStartTicks: holder.startTicks },
  };
}

async function adopt(
  context: CrunContext,
  record: SandboxRecord,
): Promise<CrunProcess | undefined> {
  if (record.sandbox !== 'crun' || record.bootId !== context.bootId) return undefined;
  if (!(await exists(sandboxDirectory(context, record.id)))) return undefined;
  const process = new CrunProcess(context, record);
  if ((await context.exits.statusOf(record.id)) !== undefined) {
    await process.exited;
    return process;
  }
  if (!(await process.isHeld())) {
    context.exits.settle(record.id);
    return undefined;
  }
  // The agent may have died between the record and the start.
  if (await isCreated(context.crun, record.id)) await runCrun(context.crun, 'start', record.id);
  return process;
}

async function isCreated(crun: CrunCommand, id: string): Promise<boolean> {
  const state = await runCrun(crun, 'state', id).catch(() => '{}');
  return (JSON.parse(state) as { status?: string }).status === 'created';
}

/** Directories, and cgroups whose directory is gone. */
async function sweep(context: CrunContext, isKnown: (id: string) => boolean): Promise<string[]> {
  const { options, cgroups } = context;
  const directories = await readdir(sandboxes(options.paths));
  const groups = await listCgroups(cgroups, cgroupRoot(options.installation));
  const ids = new Set([...directories, ...groups].filter((id) => SANDBOX_ID.test(id)));
  const unknown = [...ids].filter((id) => !isKnown(id));
  for (const id of unknown) await removeSandbox(context, id);
  return unknown;
}

/** The last trace of an installation without sandboxes. */
export async function removeCrunCgroups(installation: Installation): Promise<void> {
  const cgroups = await detectCgroups();
  for (const name of await listCgroups(cgroups, cgroupRoot(installation))) {
    await destroyCgroup(cgroups, `${cgroupRoot(installation)}/${name}`);
  }
  await destroyCgroup(cgroups, cgroupRoot(installation));
}
