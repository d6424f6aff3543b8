// What the composition root passes to the builder. Ports and small interfaces only: the builder
// knows no adapter.
import type { Installation } from '../domain/installation.ts';
import type { Clock } from '../ports/clock.ts';
import type { ImageStore, LayerRef } from '../ports/image-store.ts';
import type { PackageRegistry } from '../ports/package-registry.ts';
import type { Paths } from '../ports/paths.ts';
import type { Sandbox } from '../ports/sandbox.ts';

export interface BuildStack {
  /** Changes with its contents: part of every key. */
  readonly name: string;
  readonly layer: LayerRef;
}

export interface BuildStacks {
  /** `base` is what apps run on; `build` adds compilers and headers. May take a minute, once. */
  stack(kind: 'base' | 'build'): Promise<BuildStack>;
}

export interface BuildInterpreter {
  /** Full version: `3.12.1`. */
  readonly version: string;
  /** Path inside a sandbox: `/opt/python/bin/python3.12`, or the stack's `/usr/bin/python3`. */
  readonly executable: string;
  /** Undefined when it is the stack's own. */
  layer(): Promise<LayerRef | undefined>;
}

export interface ScratchDisks {
  /** A mounted, empty disk of a fixed size; resolves to its directory. */
  create(id: string, sizeBytes: number): Promise<string>;
  /** Idempotent. */
  remove(id: string): Promise<void>;
}

export interface BuilderOptions {
  readonly sandbox: Sandbox;
  readonly imageStore: ImageStore;
  readonly stacks: BuildStacks;
  /** Lines of sources.list(5) for the Debian release of the stacks. */
  readonly systemArchive: () => Promise<readonly string[]>;
  /** Node.js and package managers. */
  readonly packageRegistry: PackageRegistry;
  /** Newest patch of each minor version; what is fetched is added. */
  readonly interpreters: readonly BuildInterpreter[];
  /** One that fits and that the machine lacks. Rejects with PYTHON_UNAVAILABLE: from where, and why. */
  readonly fetchInterpreter?: (specifier: string) => Promise<BuildInterpreter>;
  readonly scratch: ScratchDisks;
  readonly clock: Clock;
  readonly installation: Pick<Installation, 'slot'>;
  readonly paths: Paths;
  /** The uv binary on the host. */
  readonly uvPath: string;
  /** packages/platform/python on the host. */
  readonly runtimePath: string;
  /** Package index instead of the public one. */
  readonly indexUrl?: string;
}
