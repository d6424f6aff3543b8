// Layers: immutable SquashFS images named by the SHA-256 of their bytes, kept on this node, mounted
// once however many instances use them.

export interface LayerRef {
  /** Lower-case hex SHA-256 of the image's bytes. */
  readonly sha256: string;
  readonly sizeBytes: number;
}

export interface PackOptions {
  /** Paths inside `directory` that stay out, relative, no globs. */
  readonly exclude?: readonly string[];
  /** Prefix put before every path in the image, for example `/app`. Default: none. */
  readonly prefix?: string;
  readonly signal?: AbortSignal;
}

/**
 * All methods may be called by several callers at once. A layer appears under its name only when
 * it is whole and synced; equal trees give equal layers.
 */
export interface ImageStore {
  /**
   * Packs a directory. Owner becomes root, times become 0, setuid and setgid bits and device nodes
   * are dropped; symlinks are kept, never followed.
   */
  pack(directory: string, options?: PackOptions): Promise<LayerRef>;
  /** Takes in an image file made elsewhere (a stack); copies or links it, checks its hash. */
  admit(imageFile: string): Promise<LayerRef>;
  has(sha256: string): Promise<boolean>;
  list(): Promise<LayerRef[]>;
  /** Mounts read-only, nosuid, nodev; the same path for every caller. Idempotent, survives us. */
  mount(sha256: string): Promise<string>;
  /** Where `mount` puts it, mounted or not. */
  mountPoint(sha256: string): string;
  unmount(sha256: string): Promise<void>;
  mounted(): Promise<string[]>;
  /** Unmounts and deletes. Throws IMAGE_FAILED while a process uses it. */
  remove(sha256: string): Promise<void>;
  /** What was built for a key (hex SHA-256 of the inputs), if it is still here. */
  findByKey(key: string): Promise<LayerRef | undefined>;
  bindKey(key: string, layer: LayerRef): Promise<void>;
}
