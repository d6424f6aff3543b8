// The directory of a sandbox: the claim of its id, its root file system, scratch disk, network and
// config.json. What it takes to undo this is in remove-sandbox.ts.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TandemError } from '@tandem/protocol';
import { gatewayIpv4, gatewayIpv6 } from '../../domain/installation.ts';
import { isDiskFull } from '../../lib/disk-full.ts';
import type { SandboxNetwork, SandboxSpec, TerminalSize } from '../../ports/sandbox.ts';
import { moveHolder } from './cgroups.ts';
import {
  cgroupPath,
  commonRoot,
  HOLDER_GROUP,
  sandboxDirectory,
  SANDBOX_ID,
  type CrunContext,
  type CrunSandboxOptions,
} from './context.ts';
import { ociConfig } from './oci-config.ts';
import { mountOverlay } from './overlay.ts';
import { writeRootFiles } from './root-files.ts';

export interface BundleOptions {
  /** conmon, waiting: it is moved out of the agent's cgroups meanwhile. */
  readonly holderPid?: number;
  readonly terminal?: TerminalSize | undefined;
}

/** The directory is the claim of the id: it must not have been there. */
export async function claimDirectory(context: CrunContext, id: string): Promise<string> {
  if (!SANDBOX_ID.test(id)) throw new TandemError('SANDBOX_FAILED', `"${id}" is not a sandbox id`);
  const directory = sandboxDirectory(context, id);
  await mkdir(directory, { mode: 0o700 }).catch((cause: unknown) => {
    throw new TandemError('SANDBOX_FAILED', `sandbox ${id} exists already`, { cause });
  });
  return directory;
}

/**
 * Everything that crun needs to create the container; independent parts side by side. The network
 * namespace is there but empty: `connectNetwork` can go on while crun is at work.
 */
export async function makeBundle(
  context: CrunContext,
  spec: SandboxSpec,
  directory: string,
  bundle: BundleOptions,
): Promise<void> {
  const { options, cgroups } = context;
  // All are awaited, also after a failure: nothing may still be made while it is being removed.
  const [moved, root, scratch, network] = await Promise.allSettled([
    bundle.holderPid === undefined
      ? undefined
      : moveHolder(cgroups, cgroupPath(context, HOLDER_GROUP), bundle.holderPid),
    makeRoot(options, spec, directory),
    options.scratch.create(spec.id, spec.limits.tmpBytes),
    createNamespace(options, spec.network, directory),
  ]);
  valueOf(moved);
  const config = ociConfig(spec, {
    rootPath: valueOf(root),
    cgroupPath: cgroupPath(context, spec.id),
    scratchPath: valueOf(scratch),
    initPath: options.initPath ?? '/usr/bin/tini-static',
    networkNamespace: valueOf(network),
    seccomp: context.seccomp,
    terminal: bundle.terminal,
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
    writeRootFiles(files, spec, nameservers),
    mkdir(target),
  ]);
  await mountOverlay([files, commonRoot(options.paths), ...layers.reverse()], target);
  return target;
}

async function createNamespace(
  options: CrunSandboxOptions,
  network: SandboxNetwork | undefined,
  directory: string,
): Promise<string | undefined> {
  if (network === undefined) return undefined;
  // First the note, then the deed: whoever removes this sandbox must find what it had.
  await writeFile(join(directory, 'network.json'), JSON.stringify(network));
  return await options.network.createNamespace(network);
}

/** Before anything runs inside. */
export async function connectNetwork(context: CrunContext, spec: SandboxSpec): Promise<void> {
  if (spec.network !== undefined) await context.options.network.connect(spec.network);
}

export function startError(spec: SandboxSpec, error: unknown): TandemError {
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

export function valueOf<T>(result: PromiseSettledResult<T>): T {
  if (result.status === 'rejected') throw result.reason;
  return result.value;
}
