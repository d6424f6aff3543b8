// What every step builds with: the interpreter, the stack, uv and its caches.
import { chown, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { TandemError } from '@tandem/protocol';
import { PLATFORM_UID, platformUid } from '../../domain/installation.ts';
import type { LayerRef } from '../../ports/image-store.ts';
import { buildDirectory, type Paths } from '../../ports/paths.ts';
import type { BuilderOptions, BuildInterpreter, BuildStack } from '../collaborators.ts';
import type { PrivateIndexes } from './private-indexes.ts';

export interface Toolchain {
  readonly interpreter: BuildInterpreter;
  readonly interpreterLayer: LayerRef | undefined;
  /** `3.12` */
  readonly minor: string;
  readonly stack: BuildStack;
  /** Part of every key of something that holds Python packages. */
  readonly identity: string;
  readonly baseLayers: readonly LayerRef[];
  /** Runs what never runs a project's code, and owns the cache that apps share. */
  readonly sharedUid: number;
}

export async function openToolchain(options: BuilderOptions, version: string): Promise<Toolchain> {
  const interpreter = options.interpreters.find((one) => one.version === version);
  if (interpreter === undefined) {
    throw new TandemError('PYTHON_UNAVAILABLE', `Python ${version} is not on this node.`);
  }
  const [stack, layer] = await Promise.all([options.stacks.stack('base'), interpreter.layer()]);
  return {
    interpreter,
    interpreterLayer: layer,
    minor: version.split('.').slice(0, 2).join('.'),
    stack,
    identity: [version, interpreter.executable, layer?.sha256 ?? '', stack.name].join(' '),
    baseLayers: layersOn([stack.layer], layer),
    sharedUid: sharedUidOf(options),
  };
}

/** Of what never runs a project's code. */
export function sharedUidOf({ installation }: BuilderOptions): number {
  return platformUid(installation.slot, PLATFORM_UID.sharedBuild);
}

/** `ground`: a stack and what lies on it. */
export function layersOn(
  ground: readonly LayerRef[],
  interpreter: LayerRef | undefined,
): LayerRef[] {
  return interpreter === undefined ? [...ground] : [...ground, interpreter];
}

export const wheelCache = (paths: Paths): string => join(buildDirectory(paths), 'wheels');

/** The cache of wheels that apps share: only the shared uid writes it, only wheels go in. */
export async function sharedCache(options: BuilderOptions, uid: number): Promise<string> {
  const path = wheelCache(options.paths);
  await mkdir(path, { recursive: true, mode: 0o700 });
  await chown(path, uid, uid);
  return path;
}

export function uvEnv(options: BuilderOptions): Record<string, string> {
  return {
    UV_CACHE_DIR: '/build/cache',
    UV_PYTHON_DOWNLOADS: 'never',
    // The cache lies on another file system than the target.
    UV_LINK_MODE: 'copy',
    UV_NO_PROGRESS: '1',
    UV_HTTP_TIMEOUT: '30',
    NO_COLOR: '1',
    // Image files carry no times that bytecode could be checked against.
    PYC_INVALIDATION_MODE: 'UNCHECKED_HASH',
    ...(options.indexUrl === undefined ? {} : { UV_DEFAULT_INDEX: options.indexUrl }),
  };
}

/** For steps that run with the app's config: its indexes are asked, and may replace the default one. */
export function uvEnvWith(
  options: BuilderOptions,
  indexes: PrivateIndexes,
): Record<string, string> {
  const { UV_DEFAULT_INDEX: mirror, ...env } = uvEnv(options);
  const index = mirror === undefined || indexes.replacesDefault ? {} : { UV_DEFAULT_INDEX: mirror };
  return { ...indexes.config, ...env, ...index, ...indexes.env };
}
