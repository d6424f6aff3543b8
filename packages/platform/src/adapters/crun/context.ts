// What the parts of this adapter share: what the composition root passes in, and where things are.
import { join } from 'node:path';
import { cgroupRoot, type Installation } from '../../domain/installation.ts';
import type { ExitWatch } from '../../lib/exit-watch.ts';
import type { KeyedMutex } from '../../lib/mutex.ts';
import type { ImageStore } from '../../ports/image-store.ts';
import { sandboxes, type Paths } from '../../ports/paths.ts';
import type { SandboxNetwork } from '../../ports/sandbox.ts';
import type { Cgroups } from './cgroups.ts';
import type { CrunCommand } from './crun-command.ts';
import type { Seccomp } from './seccomp.ts';

export interface CrunSandboxOptions {
  readonly installation: Installation;
  readonly paths: Paths;
  readonly imageStore: Pick<ImageStore, 'mount'>;
  readonly scratch: ScratchDisks;
  readonly network: NetworkNamespaces;
  /** On the host; copied into every sandbox. */
  readonly caBundlePath: string;
  /** A static tini on the host. */
  readonly initPath?: string;
  readonly seccompProfilePath?: string;
}

export interface ScratchDisks {
  /** A mounted, empty disk of a fixed size; resolves to its directory. */
  create(id: string, sizeBytes: number): Promise<string>;
  /** Idempotent. */
  remove(id: string): Promise<void>;
}

export interface NetworkNamespaces {
  /** Resolves to the path of a new namespace, not connected yet. */
  createNamespace(network: SandboxNetwork): Promise<string>;
  /** Addresses, routes and links of `network`. */
  connect(network: SandboxNetwork): Promise<void>;
  /** Idempotent. */
  detach(network: SandboxNetwork): Promise<void>;
}

/** What one installation's sandboxes have in common. */
export interface CrunContext {
  readonly options: CrunSandboxOptions;
  readonly cgroups: Cgroups;
  readonly crun: CrunCommand;
  readonly seccomp: Seccomp;
  readonly exits: ExitWatch;
  /** By id: a removal asked for twice is done once, then found done. */
  readonly removals: KeyedMutex;
  readonly exitDirectory: string;
  readonly bootId: string;
}

export const sandboxDirectory = ({ options }: CrunContext, id: string): string =>
  join(sandboxes(options.paths), id);

export const cgroupPath = ({ options }: CrunContext, id: string): string =>
  `${cgroupRoot(options.installation)}/${id}`;

/** Layer that all sandboxes have near the top. */
export const commonRoot = (paths: Paths): string => join(paths.run, 'root-common');

export const SANDBOX_ID = /^[a-z0-9][a-z0-9-]{0,59}$/;

/** Beside the groups of sandboxes; no id begins with an underscore. */
export const HOLDER_GROUP = '_conmon';
