// The virtualenv as a layer. A lock that is entirely of public wheels is installed by the shared uid
// without running anybody's code, and shared by all apps with the same lock; anything else belongs
// to one app.
import { chown, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { LayerRef } from '../../ports/image-store.ts';
import { mountOf, workMounts, type BuildSession, type StepResult } from '../build-session.ts';
import type { BuilderOptions } from '../collaborators.ts';
import { contentKey } from '../content-key.ts';
import type { DeclaredIndex } from '../detect/dependencies/declared-indexes.ts';
import type { RequirementLine } from '../detect/requirements-file.ts';
import { explainInstall } from '../diagnosis/explain-install.ts';
import type { BuildGround } from '../system-packages/build-ground.ts';
import { namesIn, type Lock } from './lock.ts';
import type { PrivateIndexes } from './private-indexes.ts';
import { oldSetuptools, wantsOldSetuptools } from './old-setuptools.ts';
import { layersOn, sharedCache, uvEnv, uvEnvWith, type Toolchain } from './toolchain.ts';
import { layOutVirtualenv } from './virtualenv.ts';

export interface DependencyRequest {
  readonly lock: Lock;
  readonly toolchain: Toolchain;
  /** For messages. */
  readonly file: string;
  readonly lines: readonly RequirementLine[];
  /** That the project names itself. */
  readonly declared: readonly DeclaredIndex[];
  /** Directory inside in which relative paths of the lock are meant. */
  readonly cwd: string;
  /** Of the app's config: asked when it builds for itself. */
  readonly indexes: PrivateIndexes;
  /** What paths of the source add to the key. */
  readonly paths: unknown;
  readonly ground: BuildGround;
}

/** `ready` can be used at once; `layer` resolves when it is packed. */
export interface Dependencies {
  readonly key: string;
  readonly cached: boolean;
  readonly shared: boolean;
  /** Mounted over /venv as long as the layer is not packed. */
  readonly directory?: string;
  readonly layer: Promise<LayerRef>;
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
      };
    }
  }
  const shared = sharedKey !== undefined && (await installShared(options, session, request));
  if (!shared) await installOwn(options, session, request);
  const key = shared ? sharedKey : ownKey;
  const directory = session.disk.venv;
  return { key, cached: false, shared, directory, layer: packed(options, session, directory, key) };
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
  { lock, toolchain, paths, ground }: DependencyRequest,
  owner: 'shared' | number,
): string {
  const { identity } = toolchain;
  const inputs = { lock: lock.text, identity, index: options.indexUrl, owner };
  // Wheels come as they are, whatever they stand on.
  if (owner === 'shared') return contentKey('dependencies', inputs);
  const system = ground.buildingKey(namesIn(lock));
  return contentKey('dependencies', { ...inputs, paths, system });
}

/** False when some package has no wheel: then the app's own build must make one. */
async function installShared(
  options: BuilderOptions,
  session: BuildSession,
  request: DependencyRequest,
): Promise<boolean> {
  const { toolchain } = request;
  const uid = toolchain.sharedUid;
  const work = await prepare(session, request, uid);
  const result = await session.run({
    name: 'install',
    layers: toolchain.baseLayers,
    args: installArgs(request.lock, ['--only-binary', ':all:', '--no-config']),
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
  throw failure(request, result);
}

async function installOwn(
  options: BuilderOptions,
  session: BuildSession,
  request: DependencyRequest,
): Promise<void> {
  const uid = session.request.buildUid;
  await session.log.say('not all packages are public wheels: building for this app alone');
  const work = await prepare(session, request, uid);
  const { toolchain, ground } = request;
  const stack = await ground.building(namesIn(request.lock));
  const install = (name: string, env: Readonly<Record<string, string>>) =>
    session.run({
      name,
      layers: layersOn(stack, toolchain.interpreterLayer),
      args: installArgs(request.lock, []),
      env: { ...uvEnvWith(options, request.indexes), ...env },
      cwd: request.cwd,
      uid,
      mounts: [
        ...workMounts(work, options.uvPath),
        mountOf(session.disk.venv, '/venv', false),
        mountOf(session.disk.source, '/app', false),
      ],
      network: true,
    });
  let result = await install('install-own', {});
  if (result.exit.code !== 0 && wantsOldSetuptools(result.logTail)) {
    await session.log.say('a package is older than its build tools; again, with older ones');
    result = await install('install-old', await oldSetuptools(work, result.logTail));
  }
  if (result.exit.code !== 0) throw failure(request, result);
}

/** A fresh /venv and a /build with the lock in it, both of `uid`. */
async function prepare(
  session: BuildSession,
  { lock, toolchain }: DependencyRequest,
  uid: number,
): Promise<string> {
  const { venv } = session.disk;
  await rm(venv, { recursive: true, force: true });
  await mkdir(venv, { mode: 0o755 });
  await layOutVirtualenv(venv, toolchain, uid);
  const work = join(session.disk.work, '..', `install-${uid}`);
  for (const path of [work, join(work, 'bin'), join(work, 'cache')]) {
    await mkdir(path, { recursive: true, mode: 0o755 });
    await chown(path, uid, uid);
  }
  await writeFile(join(work, 'lock.txt'), lock.text, { mode: 0o644 });
  return work;
}

function installArgs(lock: Lock, more: readonly string[]): [string, ...string[]] {
  const hashes = lock.fullyHashed ? ['--require-hashes'] : [];
  // With the hashes given it does not matter which index a file comes from.
  const anywhere = lock.versionsHashed ? ['--index-strategy', 'unsafe-best-match'] : [];
  return [
    '/build/bin/uv',
    'pip',
    'install',
    '--python',
    '/venv/bin/python',
    '--requirements',
    '/build/lock.txt',
    '--no-deps',
    '--compile-bytecode',
    ...hashes,
    ...anywhere,
    ...more,
  ];
}

function failure(request: DependencyRequest, { logTail }: StepResult) {
  const { file, lines, declared } = request;
  return explainInstall({ logTail, file, lines, indexes: declared });
}
