// The Sandbox of choice: an OCI container per process, run by crun and held by conmon, so that it
// outlives the agent. What can be prepared side by side is, because a start delays a deploy:
//
//   conmon starts, blocked      |
//   root files -> overlay mount |-> config.json -> crun create -> onRecord -> crun start
//   scratch disk                |
//   network namespace           |
//
// Everything of a sandbox lies in one directory; `remove` works from that alone.
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TandemError } from '@tandem/protocol';
import {
  cgroupRoot,
  gatewayIpv4,
  gatewayIpv6,
  type Installation,
} from '../../domain/installation.ts';
import { pidStartTicks, readBootId } from '../../lib/boot-id.ts';
import { prepareConmon, type HeldProcess, type PreparedConmon } from '../../lib/conmon.ts';
import { isDiskFull } from '../../lib/disk-full.ts';
import { ExitWatch } from '../../lib/exit-watch.ts';
import { sandboxes } from '../../ports/paths.ts';
import type {
  Sandbox,
  SandboxCapabilities,
  SandboxNetwork,
  SandboxRecord,
  SandboxSpec,
} from '../../ports/sandbox.ts';
import { destroyCgroup, detectCgroups, listCgroups, moveToCgroup } from './cgroups.ts';
import {
  cgroupPath,
  sandboxDirectory,
  type CrunContext,
  type CrunSandboxOptions,
} from './context.ts';
import { crunCommand, runCrun, type CrunCommand } from './crun-command.ts';
import { CrunProcess } from './crun-process.ts';
import { ociConfig } from './oci-config.ts';
import { mountOverlay } from './overlay.ts';
import { removeSandbox } from './remove-sandbox.ts';
import { writeRootFiles } from './root-files.ts';
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

const ID = /^[a-z0-9][a-z0-9-]{0,59}$/;
const CREATE_TIMEOUT_MS = 30_000;

/** conmon's own group; no sandbox id begins with an underscore. */
const CONMON_GROUP = '_conmon';

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
    exits: new ExitWatch(exitDirectory),
    exitDirectory,
    bootId: await readBootId(),
  };
  const seccomp = await readSeccomp(options.seccompProfilePath ?? SECCOMP_PROFILE_PATH);
  return {
    capabilities: CAPABILITIES,
    start: (spec, onRecord) => start(context, seccomp, spec, onRecord),
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
  seccomp: Seccomp,
  spec: SandboxSpec,
  onRecord: (record: SandboxRecord) => Promise<void> = async () => undefined,
): Promise<CrunProcess> {
  const directory = await claimDirectory(context, spec.id);
  const conmon = prepareConmon({
    id: spec.id,
    directory,
    runtime: context.crun.runtime,
    runtimeArgs: context.crun.args,
    exitDirectory: context.exitDirectory,
    logPath: spec.logPath,
  });
  try {
    await prepare(context, seccomp, spec, directory, conmon);
    const held = await conmon.create(CREATE_TIMEOUT_MS);
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

/** The directory is the claim of the id: it must not have been there. */
async function claimDirectory(context: CrunContext, id: string): Promise<string> {
  if (!ID.test(id)) throw new TandemError('SANDBOX_FAILED', `"${id}" is not a sandbox id`);
  const directory = sandboxDirectory(context, id);
  await mkdir(directory, { mode: 0o700 }).catch((cause: unknown) => {
    throw new TandemError('SANDBOX_FAILED', `sandbox ${id} exists already`, { cause });
  });
  return directory;
}

async function prepare(
  context: CrunContext,
  seccomp: Seccomp,
  spec: SandboxSpec,
  directory: string,
  conmon: PreparedConmon,
): Promise<void> {
  const { options, cgroups } = context;
  // All are awaited, also after a failure: nothing may still be made while it is being removed.
  const [moved, root, scratch, network] = await Promise.allSettled([
    moveToCgroup(cgroups, cgroupPath(context, CONMON_GROUP), conmon.pid),
    makeRoot(options, spec, directory),
    options.scratch.create(spec.id, spec.limits.tmpBytes),
    attachNetwork(options, spec.network, directory),
  ]);
  valueOf(moved);
  const config = ociConfig(spec, {
    rootPath: valueOf(root),
    cgroupPath: cgroupPath(context, spec.id),
    scratchPath: valueOf(scratch),
    initPath: options.initPath ?? '/usr/bin/tini-static',
    networkNamespace: valueOf(network),
    seccomp,
    swapLimit: cgroups.swapLimit,
  });
  await writeFile(join(directory, 'config.json'), JSON.stringify(config), { mode: 0o600 });
}

async function makeRoot(
  options: CrunSandboxOptions,
  spec: SandboxSpec,
  directory: string,
): Promise<string> {
  const files = join(directory, 'root');
  const target = join(directory, 'rootfs');
  const { slot, ipv6Prefix } = options.installation;
  const nameservers = [gatewayIpv6(ipv6Prefix), gatewayIpv4(slot)];
  const mounting = spec.layers.map((layer) => options.imageStore.mount(layer.sha256));
  const [layers] = await Promise.all([
    Promise.all(mounting),
    writeRootFiles(files, spec, { nameservers, caBundlePath: options.caBundlePath }),
    mkdir(target),
  ]);
  await mountOverlay([files, ...layers.reverse()], target);
  return target;
}

async function attachNetwork(
  options: CrunSandboxOptions,
  network: SandboxNetwork | undefined,
  directory: string,
): Promise<string | undefined> {
  if (network === undefined) return undefined;
  // First the note, then the deed: whoever removes this sandbox must find what it had.
  await writeFile(join(directory, 'network.json'), JSON.stringify(network));
  return await options.network.attach(network);
}

async function recordOf(
  context: CrunContext,
  id: string,
  { pid, conmonPid }: HeldProcess,
): Promise<SandboxRecord> {
  const [ticks, conmonTicks] = await Promise.all([pidStartTicks(pid), pidStartTicks(conmonPid)]);
  if (ticks === undefined) throw new Error(`process ${pid} ended before it was started`);
  return {
    schemaVersion: 1,
    sandbox: 'crun',
    id,
    bootId: context.bootId,
    pid,
    pidStartTicks: ticks,
    detail: { conmonPid, conmonStartTicks: conmonTicks ?? 0 },
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
  const ids = new Set([...directories, ...groups].filter((id) => ID.test(id)));
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

function valueOf<T>(result: PromiseSettledResult<T>): T {
  if (result.status === 'rejected') throw result.reason;
  return result.value;
}

function startError(spec: SandboxSpec, error: unknown): TandemError {
  if (error instanceof TandemError) return error;
  const message = error instanceof Error ? error.message : String(error);
  if (isDiskFull(error)) {
    return new TandemError('DISK_FULL', `no space left to start sandbox ${spec.id}`, {
      cause: error,
      hint: 'tandem doctor',
    });
  }
  return new TandemError('SANDBOX_FAILED', `sandbox ${spec.id}: ${message}`, { cause: error });
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}
