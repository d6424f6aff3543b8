// Layers: immutable SquashFS images named by the SHA-256 of their bytes, kept on this node, mounted
// once however many instances use them.
import type { LayerRef } from '../domain/layer.ts';

export type { LayerRef };

export interface PackOptions {
  /** Paths inside `directory` that stay out, relative, no globs. */
  readonly exclude?: readonly string[];
  /** Prefix put before every path in the image, for example `/app`. Default: none. */
  readonly prefix?: string;
  readonly signal?: AbortSignal;
}

/** One tree of an image that holds several. Prefixes must not lie within one another. */
export type PackEntry = { readonly directory: string } & Omit<PackOptions, 'signal'>;

/**
 * All methods may be called by several callers at once. A layer appears under its name only when
 * it is whole and synced; equal trees give equal layers.
 */
export interface ImageStore {
  /**
   * Packs a directory. Owner becomes root and everything readable by all, times become 0; setuid and
   * setgid bits, devices, sockets and pipes are dropped; symlinks are kept, never followed.
   * Throws IMAGE_FAILED, DISK_FULL or CANCELLED and leaves nothing.
   */
  pack(directory: string, options?: PackOptions): Promise<LayerRef>;
  /** As `pack`, several directories into one image, each under its prefix. */
  packTrees(
    entries: readonly [PackEntry, ...PackEntry[]],
    options?: { readonly signal?: AbortSignal },
  ): Promise<LayerRef>;
  /**
   * Takes in an image file made elsewhere (a stack); copies or links it. Throws IMAGE_FAILED when it
   * is no image or not the expected one. Reads the whole file: ask `has` first.
   */
  admit(imageFile: string, expectedSha256?: string): Promise<LayerRef>;
  has(sha256: string): Promise<boolean>;
  list(): Promise<LayerRef[]>;
  /** Mounts read-only, nosuid, nodev; the same path for every caller. Idempotent, survives us. */
  mount(sha256: string): Promise<string>;
  /** Where `mount` puts it, mounted or not. */
  mountPoint(sha256: string): string;
  /** Throws IMAGE_FAILED while a process has files of it open. Idempotent. */
  unmount(sha256: string): Promise<void>;
  mounted(): Promise<string[]>;
  /** Unmounts and deletes. Throws IMAGE_FAILED while a process or an overlay uses it. Idempotent. */
  remove(sha256: string): Promise<void>;
  /** What was built for a key (hex SHA-256 of the inputs), if it is still here. */
  findByKey(key: string): Promise<LayerRef | undefined>;
  bindKey(key: string, layer: LayerRef): Promise<void>;
}
