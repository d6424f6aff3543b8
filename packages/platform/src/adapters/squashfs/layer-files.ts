// The files of the store: `<sha256>.squashfs`, whole and synced, and what packers are working on.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { chmod, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { syncDirectory } from '../../lib/atomic-file.ts';
import { ownedName, sweepAbandoned } from '../../lib/owned-name.ts';
import type { LayerRef } from '../../ports/image-store.ts';

const HASH = /^[0-9a-f]{64}$/;
const LAYER = /^([0-9a-f]{64})\.squashfs$/;

export class LayerFiles {
  readonly #directory: string;
  #prepared: Promise<void> | undefined;

  constructor(directory: string) {
    this.#directory = directory;
  }

  path(sha256: string): string {
    if (!HASH.test(sha256)) throw new Error(`${JSON.stringify(sha256)} is not a hex SHA-256`);
    return join(this.#directory, `${sha256}.squashfs`);
  }

  async find(sha256: string): Promise<LayerRef | undefined> {
    const found = await stat(this.path(sha256)).catch(() => undefined);
    return found?.isFile() ? { sha256, sizeBytes: found.size } : undefined;
  }

  async list(): Promise<LayerRef[]> {
    const names = await readdir(this.#directory).catch(() => []);
    const hashes = names.flatMap((name) => LAYER.exec(name)?.[1] ?? []);
    const layers = await Promise.all(hashes.map((sha256) => this.find(sha256)));
    return layers.filter((layer) => layer !== undefined);
  }

  /** Lets `fill` make an image under a temporary name, then gives it its own. */
  async add(fill: (temporary: string) => Promise<void>): Promise<LayerRef> {
    await (this.#prepared ??= this.#prepare());
    const temporary = join(this.#directory, await ownedName('packing'));
    try {
      await fill(temporary);
      return await this.#publish(temporary);
    } finally {
      await rm(temporary, { force: true });
    }
  }

  async remove(sha256: string): Promise<void> {
    await rm(this.path(sha256), { force: true });
  }

  async #publish(temporary: string): Promise<LayerRef> {
    const sha256 = await sha256Of(temporary);
    const existing = await this.find(sha256);
    // Equal names have equal bytes. Replacing a mounted file would keep both on disk.
    if (existing) return existing;
    await chmod(temporary, 0o444);
    await syncFile(temporary);
    const { size } = await stat(temporary);
    await rename(temporary, this.path(sha256));
    await syncDirectory(this.#directory);
    return { sha256, sizeBytes: size };
  }

  async #prepare(): Promise<void> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    await sweepAbandoned(this.#directory);
  }
}

export async function sha256Of(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

async function syncFile(path: string): Promise<void> {
  const file = await open(path, 'r');
  await file.sync().finally(() => file.close());
}
