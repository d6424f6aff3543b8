// What one node is made of: images, sandboxes, network, runner and builder on this machine.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { DoctorCheck } from '@tandem/protocol';
import { createAppVolumes } from '../../adapters/app-volume/app-volumes.ts';
import { createCrunSandbox } from '../../adapters/crun/crun-sandbox.ts';
import { createInstanceNetwork } from '../../adapters/instance-network/instance-network.ts';
import { examineMachine } from '../../adapters/machine/doctor.ts';
import { createProcessSandbox } from '../../adapters/process-sandbox/process-sandbox.ts';
import { createScratchDisks } from '../../adapters/scratch-disk/scratch-disks.ts';
import { createSquashfsImageStore } from '../../adapters/squashfs/squashfs-image-store.ts';
import { createNpmRegistry } from '../../adapters/npm-registry/npm-registry.ts';
import { systemArchive } from '../../adapters/stacks/apt-mirror.ts';
import { createBuilder } from '../../builder/builder.ts';
import { PLATFORM_UID, platformUid, type Installation } from '../../domain/installation.ts';
import { LIMITS } from '../../domain/limits.ts';
import { LogWriter } from '../../lib/log-writer.ts';
import { systemClock } from '../../lib/system-clock.ts';
import type { Builder } from '../../ports/builder.ts';
import type { ImageStore, LayerRef } from '../../ports/image-store.ts';
import {
  buildDirectory,
  layerFiles,
  layerMounts,
  scratchFiles,
  type Paths,
} from '../../ports/paths.ts';
import type { Runner } from '../../ports/runner.ts';
import type { Sandbox } from '../../ports/sandbox.ts';
import { createRunner, type LogOwner } from '../../runner/runner.ts';
import { interpretersOf } from './interpreters.ts';
import { StackLayers } from './stack-layers.ts';

const RUNTIME_PATH = fileURLToPath(new URL('../../../python', import.meta.url));
const DEFAULT_CA_BUNDLE = '/etc/ssl/certs/ca-certificates.crt';

export interface NodeOptions {
  readonly installation: Installation;
  readonly paths: Paths;
  readonly environment: NodeJS.ProcessEnv;
  readonly sandbox: 'crun' | 'process';
}

export interface TandemNode {
  readonly imageStore: ImageStore;
  readonly runner: Runner & LogOwner;
  readonly builder: Builder;
  readonly postgresqlStack: LayerRef;
  readonly redisStack: LayerRef;
  /** Layers that no release names and that must stay. */
  protectedLayers(): readonly LayerRef[];
  examineMachine(): Promise<readonly DoctorCheck[]>;
}

/** Enough for the job and the instance of a deploy, one after the other. */
const READY_DISKS = { sizeBytes: LIMITS.instance.tmpBytes, count: 2 };

export async function openNode(options: NodeOptions): Promise<TandemNode> {
  const { installation, paths, environment } = options;
  for (const directory of [layerFiles(paths), layerMounts(paths), scratchFiles(paths)]) {
    await mkdir(directory, { recursive: true, mode: 0o711 });
  }
  const imageStore = createSquashfsImageStore({
    files: layerFiles(paths),
    mounts: layerMounts(paths),
  });
  const stacks = new StackLayers(paths.stackCache, imageStore);
  const scratch = createScratchDisks({
    directory: scratchFiles(paths),
    ...(options.sandbox === 'crun' ? { ready: READY_DISKS } : {}),
  });
  const sandbox = await openSandbox(options, imageStore, scratch);
  const runner = createRunner({
    sandbox,
    imageStore,
    volumes: createAppVolumes({
      paths,
      imageStore,
      readerGid: platformUid(installation.slot, PLATFORM_UID.staticServer),
    }),
    clock: systemClock,
    paths,
    note: (logPath, text) => {
      const writer = new LogWriter(logPath);
      writer.append(text, 'stderr');
      void writer.close();
    },
  });
  const uvPath = await findUv(environment);
  const interpreters = await interpretersOf({ imageStore, paths, environment, uvPath });
  const builder = createBuilder({
    sandbox,
    imageStore,
    stacks,
    systemArchive,
    packageRegistry: createNpmRegistry({
      cacheDirectory: join(buildDirectory(paths), 'npm-registry'),
      now: () => systemClock.nowMs(),
      ...(environment['NPM_CONFIG_REGISTRY'] === undefined
        ? {}
        : { url: environment['NPM_CONFIG_REGISTRY'] }),
    }),
    ...interpreters,
    scratch,
    clock: systemClock,
    installation,
    paths,
    uvPath,
    runtimePath: RUNTIME_PATH,
    ...(environment['UV_INDEX_URL'] === undefined ? {} : { indexUrl: environment['UV_INDEX_URL'] }),
  });
  return {
    imageStore,
    runner,
    builder,
    postgresqlStack: (await stacks.stack('postgresql')).layer,
    redisStack: (await stacks.stack('redis')).layer,
    protectedLayers: () => stacks.layers(),
    examineMachine: () =>
      examineMachine({ dataDirectory: paths.data, searchPath: environment['PATH'] ?? '' }),
  };
}

async function openSandbox(
  { sandbox, installation, paths, environment }: NodeOptions,
  imageStore: ImageStore,
  scratch: ReturnType<typeof createScratchDisks>,
): Promise<Sandbox> {
  if (sandbox === 'process') {
    const layerDirectory = ({ sha256 }: LayerRef): Promise<string> => imageStore.mount(sha256);
    return await createProcessSandbox({ installation, paths, layerDirectory });
  }
  return await createCrunSandbox({
    installation,
    paths,
    imageStore,
    scratch,
    network: createInstanceNetwork({ installation }),
    caBundlePath: environment['SSL_CERT_FILE'] ?? DEFAULT_CA_BUNDLE,
  });
}

async function findUv(environment: NodeJS.ProcessEnv): Promise<string> {
  const { access, constants } = await import('node:fs/promises');
  for (const directory of (environment['PATH'] ?? '').split(':')) {
    const candidate = join(directory, 'uv');
    if (
      await access(candidate, constants.X_OK).then(
        () => true,
        () => false,
      )
    )
      return candidate;
  }
  return 'uv';
}
