// The virtualenv as a layer. A lock that is entirely of public wheels is installed by the shared uid
// without running anybody's code, and shared by all apps with the same lock; anything else belongs
// to one app.
import type { Finding } from '../../domain/release.ts';
import type { LayerRef } from '../../ports/image-store.ts';
import { mountOf, workMounts, type BuildSession } from '../build-session.ts';
import type { BuilderOptions } from '../collaborators.ts';
import { contentKey } from '../content-key.ts';
import { installOwn } from './install-own.ts';
import {
  installArgs,
  installFailure,
  prepareInstall,
  type DependencyRequest,
} from './install-request.ts';
import { namesIn } from './lock.ts';
import { sharedCache, uvEnv } from './toolchain.ts';

export interface Dependencies {
  readonly key: string;
  readonly cached: boolean;
  readonly shared: boolean;
  /** Mounted over /venv as long as the layer is not packed. */
  readonly directory?: string;
  readonly layer: Promise<LayerRef>;
  /** About the install, when there was one. */
  readonly findings: readonly Finding[];
}

export async function dependencyLayer(
  options: BuilderOptions,
  session: BuildSession,
  request: DependencyRequest,
): Promise<Dependencies> {
  const sharedKey = request.lock.isPublic ? keyOf(options, request, 'shared') : undefined;
  const ownKey = keyOf(options, request, session.request.appId);
  for (const key of [sharedKey, ownKey]) {
    const layer = key === undefined ? undefined : await options.imageStore.findByKey(key);
    if (layer !== undefined) {
      return {
        key: key ?? ownKey,
        cached: true,
        shared: key === sharedKey,
        layer: Promise.resolve(layer),
        findings: [],
      };
    }
  }
  const shared = sharedKey !== undefined && (await installShared(options, session, request));
  const findings = shared ? [] : await installOwn(options, session, request);
  const key = shared ? sharedKey : ownKey;
  const directory = session.disk.venv;
  const layer = packed(options, session, directory, key);
  return { key, cached: false, shared, directory, layer, findings };
}

async function packed(
  options: BuilderOptions,
  session: BuildSession,
  directory: string,
  key: string,
): Promise<LayerRef> {
  const layer = await options.imageStore.pack(directory, {
    prefix: '/venv',
    signal: session.signal,
  });
  await options.imageStore.bindKey(key, layer);
  return layer;
}

function keyOf(
  options: BuilderOptions,
  { lock, toolchain, paths, itself, ground }: DependencyRequest,
  owner: 'shared' | number,
): string {
  const { identity } = toolchain;
  const inputs = { lock: lock.text, identity, index: options.indexUrl, owner };
  // Wheels come as they are, whatever they stand on.
  if (owner === 'shared') return contentKey('dependencies', inputs);
  const system = ground.buildingKey(namesIn(lock));
  // Where it is optional it may be left out.
  const named = paths === undefined ? {} : { itself };
  return contentKey('dependencies', { ...inputs, paths, ...named, system });
}

/** False when some package has no wheel: then the app's own build must make one. */
async function installShared(
  options: BuilderOptions,
  session: BuildSession,
  request: DependencyRequest,
): Promise<boolean> {
  const { toolchain } = request;
  const uid = toolchain.sharedUid;
  const work = await prepareInstall(session, request, uid);
  const result = await session.run({
    name: 'install',
    layers: toolchain.baseLayers,
    args: installArgs(request.lock, '/build/lock.txt', ['--only-binary', ':all:', '--no-config']),
    env: uvEnv(options),
    uid,
    mounts: [
      ...workMounts(work, options.uvPath, await sharedCache(options, uid)),
      mountOf(session.disk.venv, '/venv', false),
    ],
    network: true,
  });
  if (result.exit.code === 0) return true;
  if (/no usable wheels|has no wheels|no wheels with a matching/.test(result.logTail)) return false;
  throw installFailure(request, result);
}
