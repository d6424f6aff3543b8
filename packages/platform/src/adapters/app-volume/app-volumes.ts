// The AppVolumes of a node: disks below the data directory, mounted below the run directory, where
// script/down finds them. The static server gets through to public directories, nobody else does.
import { chmod, chown, mkdir } from 'node:fs/promises';
import { TandemError } from '@tandem/protocol';
import { volumeLayout } from '../../domain/volume.ts';
import { isDiskFull } from '../../lib/disk-full.ts';
import { KeyedMutex } from '../../lib/mutex.ts';
import type { AppVolumes, VolumeRequest } from '../../ports/app-volumes.ts';
import type { ImageStore } from '../../ports/image-store.ts';
import { volumeImage, volumeMount, volumeMounts, type Paths } from '../../ports/paths.ts';
import { ensureDirectory } from './volume-directories.ts';
import { diskUse, ensureDisk, removeDisk, type VolumeDisk } from './volume-disk.ts';

export interface AppVolumesOptions {
  readonly paths: Paths;
  readonly imageStore: Pick<ImageStore, 'mount'>;
  /** Group of the static server. */
  readonly readerGid: number;
}

/** Of the top of a volume: directories on it are reached by name only. */
const TOP_MODE = 0o711;

export function createAppVolumes(options: AppVolumesOptions): AppVolumes {
  const { paths } = options;
  const oneByOne = new KeyedMutex();
  const diskOf = (appId: number): VolumeDisk => ({
    file: volumeImage(paths, appId),
    mountPoint: volumeMount(paths, appId),
  });
  const inTurn = <T>(appId: number, work: () => Promise<T>): Promise<T> =>
    oneByOne.run(String(appId), work);
  return {
    ensure: (request) =>
      inTurn(request.appId, () => ensureVolume(options, diskOf(request.appId), request)),
    use: (appId) => diskUse(diskOf(appId)),
    remove: (appId) => inTurn(appId, () => removeDisk(diskOf(appId))),
  };
}

async function ensureVolume(
  options: AppVolumesOptions,
  disk: VolumeDisk,
  request: VolumeRequest,
): Promise<void> {
  const { uid, plan, layers } = request;
  const mountLayers = (): Promise<string[]> =>
    Promise.all(layers.toReversed().map(({ sha256 }) => options.imageStore.mount(sha256)));
  try {
    await letReaderThrough(options);
    await ensureDisk(disk, plan.sizeBytes);
    await chmod(disk.mountPoint, TOP_MODE);
    for (const directory of volumeLayout(plan).directories) {
      await ensureDirectory(disk.mountPoint, directory, { uid, layers: mountLayers });
    }
  } catch (error) {
    throw explain(error, disk, request);
  }
}

async function letReaderThrough({ paths, readerGid }: AppVolumesOptions): Promise<void> {
  const mounts = volumeMounts(paths);
  await mkdir(mounts, { recursive: true, mode: 0o710 });
  await chown(mounts, 0, readerGid);
  await chmod(mounts, 0o710);
}

function explain(error: unknown, { file }: VolumeDisk, { plan }: VolumeRequest): TandemError {
  if (error instanceof TandemError) return error;
  const mebibytes = plan.sizeBytes / 1024 / 1024;
  if (isDiskFull(error)) {
    const message = `what the release brings for its volume does not fit into ${mebibytes} MiB, or the disk of the node is full`;
    const hint =
      'make it larger in tandem.toml: [volume] size = "4GiB"\nand look at: tandem doctor';
    return new TandemError('DISK_FULL', message, { hint, cause: error });
  }
  const why = error instanceof Error ? error.message : String(error);
  return new TandemError('VOLUME_FAILED', `volume ${file}: ${why}`, {
    hint: `look at it with: e2fsck -fn ${file}`,
    cause: error,
  });
}
