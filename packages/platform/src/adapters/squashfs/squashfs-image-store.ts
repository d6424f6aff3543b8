// ImageStore on SquashFS files and loop mounts.
import { constants } from 'node:fs';
import { copyFile, link, lstat, open } from 'node:fs/promises';
import { join } from 'node:path';
import { TandemError } from '@tandem/protocol';
import { isDiskFull } from '../../lib/disk-full.ts';
import { squashTrees } from '../../lib/squash-trees.ts';
import type { ImageStore, LayerRef, PackEntry, PackOptions } from '../../ports/image-store.ts';
import { LayerFiles, sha256Of } from './layer-files.ts';
import { LayerIndex } from './layer-index.ts';
import { LayerMounts } from './layer-mounts.ts';

export interface SquashfsDirectories {
  /** Images and the key index, on disk; mode 0700. */
  readonly files: string;
  /** Mount points; mode 0711, so that nginx gets to the trees it serves. */
  readonly mounts: string;
}

const PACK_TIMEOUT_MS = 10 * 60_000;
const COMPRESSION_LEVEL = 3;
const MAGIC = 'hsqs';

export function createSquashfsImageStore(directories: SquashfsDirectories): ImageStore {
  return new SquashfsImageStore(directories);
}

class SquashfsImageStore implements ImageStore {
  readonly #files: LayerFiles;
  readonly #mounts: LayerMounts;
  readonly #index: LayerIndex;

  constructor({ files, mounts }: SquashfsDirectories) {
    this.#files = new LayerFiles(files);
    this.#mounts = new LayerMounts(mounts);
    this.#index = new LayerIndex(join(files, 'keys'));
  }

  pack(directory: string, options: PackOptions = {}): Promise<LayerRef> {
    const { signal, ...entry } = options;
    return this.packTrees([{ directory, ...entry }], signal ? { signal } : {});
  }

  async packTrees(
    entries: readonly [PackEntry, ...PackEntry[]],
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<LayerRef> {
    const limits = { compressionLevel: COMPRESSION_LEVEL, timeoutMs: PACK_TIMEOUT_MS };
    const trees = entries.map(({ directory }) => directory).join(', ');
    return await explained(`packing ${trees}`, options.signal, () =>
      this.#files.add((output) => squashTrees(entries, { output, ...limits, ...options })),
    );
  }

  async admit(imageFile: string, expectedSha256?: string): Promise<LayerRef> {
    return await explained(`taking in ${imageFile}`, undefined, () =>
      this.#files.add(async (temporary) => {
        await linkOrCopy(imageFile, temporary);
        await assertImage(temporary, imageFile, expectedSha256);
      }),
    );
  }

  async has(sha256: string): Promise<boolean> {
    return (await this.#files.find(sha256)) !== undefined;
  }

  list(): Promise<LayerRef[]> {
    return this.#files.list();
  }

  mountPoint(sha256: string): string {
    return this.#mounts.point(sha256);
  }

  async mount(sha256: string): Promise<string> {
    return await explained(`mounting layer ${sha256.slice(0, 12)}`, undefined, async () => {
      if (!(await this.has(sha256))) throw new Error('it is not on this node');
      return await this.#mounts.mount(sha256, this.#files.path(sha256));
    });
  }

  async unmount(sha256: string): Promise<void> {
    await explained(`unmounting layer ${sha256.slice(0, 12)}`, undefined, () =>
      this.#mounts.unmount(sha256),
    );
  }

  mounted(): Promise<string[]> {
    return this.#mounts.mounted();
  }

  async remove(sha256: string): Promise<void> {
    await explained(`removing layer ${sha256.slice(0, 12)}`, undefined, () =>
      this.#mounts.retire(sha256, this.#files.path(sha256), () => this.#files.remove(sha256)),
    );
  }

  async findByKey(key: string): Promise<LayerRef | undefined> {
    const sha256 = await this.#index.read(key);
    return sha256 === undefined ? undefined : await this.#files.find(sha256);
  }

  async bindKey(key: string, layer: LayerRef): Promise<void> {
    await explained(`indexing layer ${layer.sha256.slice(0, 12)}`, undefined, async () => {
      if (!(await this.has(layer.sha256))) throw new Error('it is not on this node');
      await this.#index.write(key, layer.sha256);
    });
  }
}

/** Images never change, so one file serves both places where the file system allows it. */
async function linkOrCopy(from: string, to: string): Promise<void> {
  if (!(await lstat(from)).isFile()) throw new Error('it is not a regular file');
  try {
    await link(from, to);
  } catch {
    await copyFile(from, to, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL);
  }
}

async function assertImage(file: string, name: string, expected?: string): Promise<void> {
  const opened = await open(file, 'r');
  const { buffer, bytesRead } = await opened
    .read(Buffer.alloc(MAGIC.length), 0, MAGIC.length, 0)
    .finally(() => opened.close());
  if (buffer.toString('latin1', 0, bytesRead) !== MAGIC) throw new Error('it is no SquashFS image');
  if (expected !== undefined && (await sha256Of(file)) !== expected) {
    throw new Error(`${name} is damaged: its SHA-256 is not ${expected}`);
  }
}

async function explained<T>(
  what: string,
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof TandemError) throw error;
    if (signal?.aborted) throw new TandemError('CANCELLED', `${what} was cancelled`);
    if (isDiskFull(error)) {
      const hint = 'Free space on the disk of the layers: df -h /var/lib/tandem';
      throw new TandemError('DISK_FULL', `no space left while ${what}`, { hint, cause: error });
    }
    const why = error instanceof Error ? error.message : String(error);
    throw new TandemError('IMAGE_FAILED', `${what} failed: ${why}`, { cause: error });
  }
}
