// Packages that we add to an app: a web server, a database driver. Never installed into the app's
// own environment: a layer of its own, appended to the path, so whatever the app brings wins.
import { chown, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TandemError } from '@tandem/protocol';
import type { LayerRef } from '../../ports/image-store.ts';
import { workMounts, type BuildSession } from '../build-session.ts';
import type { BuilderOptions } from '../collaborators.ts';
import { contentKey } from '../content-key.ts';
import { explainInstall } from '../diagnosis/explain-install.ts';
import { pinsOf, type Lock } from './lock.ts';
import { sharedCache, uvEnv, type Toolchain } from './toolchain.ts';

export type AdditionName =
  'gunicorn' | 'uvicorn' | 'psycopg' | 'psycopg2' | 'setuptools' | 'packaging';

interface Recipe {
  readonly requirements: readonly string[];
  /** What it may bring along: these follow the versions of the app's own lock. */
  readonly companions: readonly string[];
}

const RECIPES: Readonly<Record<AdditionName, Recipe>> = {
  gunicorn: {
    requirements: ['gunicorn'],
    companions: ['packaging', 'importlib-metadata', 'typing-extensions', 'zipp'],
  },
  uvicorn: {
    // Without websockets uvicorn refuses upgrades; the other two make it fast.
    requirements: ['uvicorn', 'websockets', 'httptools', 'uvloop'],
    companions: ['click', 'h11', 'typing-extensions', 'websockets', 'httptools', 'uvloop'],
  },
  psycopg: {
    requirements: ['psycopg[binary]'],
    companions: ['typing-extensions', 'tzdata', 'backports-zoneinfo'],
  },
  psycopg2: { requirements: ['psycopg2-binary'], companions: [] },
  // Later ones warn at every start that pkg_resources will go, then it is gone.
  setuptools: { requirements: ['setuptools<80.9'], companions: [] },
  packaging: { requirements: ['packaging'], companions: [] },
};

export interface AdditionRequest {
  readonly name: AdditionName;
  readonly lock: Lock | undefined;
  readonly toolchain: Toolchain;
}

export async function additionLayer(
  options: BuilderOptions,
  session: BuildSession,
  { name, lock, toolchain }: AdditionRequest,
): Promise<LayerRef> {
  const { requirements, companions } = RECIPES[name];
  const constraints = pinsOf(lock, companions);
  const { identity } = toolchain;
  const key = contentKey('addition', { name, requirements, constraints, identity });
  const known = await options.imageStore.findByKey(key);
  if (known !== undefined) return known;
  const target = await install(options, session, { name, toolchain, constraints });
  const prefix = `/opt/tandem/additions/${name}`;
  const layer = await options.imageStore.pack(target, { prefix, signal: session.signal });
  await options.imageStore.bindKey(key, layer);
  return layer;
}

async function install(
  options: BuilderOptions,
  session: BuildSession,
  request: { name: AdditionName; toolchain: Toolchain; constraints: readonly string[] },
): Promise<string> {
  const { name, toolchain, constraints } = request;
  const uid = toolchain.sharedUid;
  const work = join(session.disk.work, '..', `addition-${name}`);
  for (const path of ['', 'bin', 'cache', 'target'].map((part) => join(work, part))) {
    await mkdir(path, { recursive: true, mode: 0o755 });
    await chown(path, uid, uid);
  }
  await writeFile(join(work, 'constraints.txt'), constraints.join('\n'), { mode: 0o644 });
  const result = await session.run({
    name: `add-${name}`,
    layers: toolchain.baseLayers,
    args: installArgs(name, toolchain, constraints.length > 0),
    env: uvEnv(options),
    uid,
    mounts: workMounts(work, options.uvPath, await sharedCache(options, uid)),
    network: true,
    aside: true,
  });
  if (result.exit.code === 0) return join(work, 'target');
  const cause = explainInstall({ logTail: result.logTail, file: `our ${name}`, lines: [] });
  throw new TandemError(cause.code, `${name}, which Tandem adds: ${cause.message}`, {
    hint: `add ${name} to your dependencies in a version that fits them`,
  });
}

function installArgs(
  name: AdditionName,
  toolchain: Toolchain,
  constrained: boolean,
): [string, ...string[]] {
  return [
    '/build/bin/uv',
    'pip',
    'install',
    '--python',
    toolchain.interpreter.executable,
    '--target',
    '/build/target',
    ...(constrained ? ['--constraints', '/build/constraints.txt'] : []),
    '--only-binary',
    ':all:',
    '--no-config',
    '--compile-bytecode',
    ...RECIPES[name].requirements,
  ];
}
