// What the parts of this adapter share.
import { join } from 'node:path';
import type { Installation } from '../../domain/installation.ts';
import type { ExitWatch } from '../../lib/exit-watch.ts';
import type { LayerRef } from '../../ports/image-store.ts';
import type { Paths } from '../../ports/paths.ts';

export interface ProcessSandboxOptions {
  readonly installation: Pick<Installation, 'id'>;
  readonly paths: Paths;
  /** Mount point of a layer, or a directory it was unpacked to. */
  readonly layerDirectory: (layer: LayerRef) => Promise<string>;
}

export interface ProcessContext {
  readonly options: ProcessSandboxOptions;
  readonly exits: ExitWatch;
  readonly exitDirectory: string;
  readonly bootId: string;
  readonly isRoot: boolean;
}

export const processesDirectory = ({ options }: ProcessContext): string =>
  join(options.paths.run, 'processes');

export const processDirectory = (context: ProcessContext, id: string): string =>
  join(processesDirectory(context), id);

/** Value of MARK in the environment of everything under this id. */
export const markOf = ({ options }: ProcessContext, id: string): string =>
  `${options.installation.id}/${id}`;
