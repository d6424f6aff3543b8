// The volume as far as text tells: what lies on it, and what must be there for an import to work.
import { dirname } from 'node:path/posix';
import type { VolumePlan } from '../../domain/volume.ts';
import { planVolume } from '../volume-plan.ts';
import type { Detected } from './evidence.ts';
import { walkFiles, type SourceTree } from './source-tree.ts';
import type { TandemConfig } from './tandem-toml.ts';
import { detectVolumePaths, type VolumeCandidate } from './volume-paths.ts';

export interface DetectedVolume {
  readonly candidates: readonly VolumeCandidate[];
  /** Every file of the source, relative to its top. */
  readonly sourceFiles: readonly string[];
  /** Directories that are on the volume at run time, so that an import finds them too. */
  readonly directories: readonly string[];
}

export interface VolumeContext {
  readonly root: string;
  readonly config: TandemConfig;
  readonly dependencies: readonly string[];
  /** What the configuration asks for, before what the text tells. */
  readonly kept: readonly VolumeCandidate[];
  /** By the app's config. */
  readonly hasDatabase: boolean;
  readonly wantsDatabase: boolean;
  readonly settings?: object;
  readonly entry?: { readonly pathEntry: string };
}

const WALK_DEPTH = 20;

export function detectVolume(tree: SourceTree, context: VolumeContext): Detected<DetectedVolume> {
  const { root, config, dependencies, entry } = context;
  const isDjango = context.settings !== undefined;
  const gets = isDjango ? config.database !== false : context.wantsDatabase;
  const told = detectVolumePaths(tree, {
    root,
    isDjango,
    dependencies,
    usesDatabase: gets || context.hasDatabase,
    ...(entry === undefined ? {} : { pathEntry: entry.pathEntry }),
  });
  const candidates = [...context.kept, ...told];
  const sourceFiles = walkFiles(tree, '', WALK_DEPTH);
  const { plan, findings } = planVolume({ root, config: config.volume, candidates, sourceFiles });
  return { value: { candidates, sourceFiles, directories: directoriesOf(plan) }, findings };
}

function directoriesOf(plan: VolumePlan | undefined): string[] {
  const all = (plan?.paths ?? []).map(({ path, kind }) => (kind === 'file' ? dirname(path) : path));
  return [...new Set(all)].filter((path) => path !== '/app' && path !== '/');
}
