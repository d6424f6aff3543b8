// Our helpers for one Python version, with the skeleton of /venv and the hook that starts them.
import { createHash } from 'node:crypto';
import { chown, cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TandemError } from '@tandem/protocol';
import type { LayerRef } from '../../ports/image-store.ts';
import { mountOf, type BuildSession } from '../build-session.ts';
import type { BuilderOptions } from '../collaborators.ts';
import { contentKey } from '../content-key.ts';
import type { Toolchain } from './toolchain.ts';
import { layOutVirtualenv } from './virtualenv.ts';

const RUNTIME = '/opt/tandem/runtime';
/** Last in the alphabet, so that what we append stands behind what other .pth files append. */
const HOOK_FILE = 'zzz-tandem.pth';
const HOOK = `import sys; sys.path.append('${RUNTIME}'); import tandem_runtime.startup\n`;

export async function runtimeLayer(
  options: BuilderOptions,
  session: BuildSession,
  toolchain: Toolchain,
): Promise<LayerRef> {
  const { identity } = toolchain;
  const source = await hashOfHelpers(options.runtimePath);
  const key = contentKey('runtime', { source, identity, hook: HOOK });
  const known = await options.imageStore.findByKey(key);
  if (known !== undefined) return known;
  const root = join(session.disk.work, '..', 'runtime');
  const helpers = join(root, 'helpers');
  const venv = join(root, 'venv');
  await mkdir(venv, { recursive: true });
  await cp(join(options.runtimePath, 'tandem_runtime'), join(helpers, 'tandem_runtime'), {
    recursive: true,
    filter: (path) => !path.includes('__pycache__'),
  });
  await compile(session, toolchain, helpers);
  const sitePackages = await layOutVirtualenv(venv, toolchain, 0);
  await writeFile(join(sitePackages, HOOK_FILE), HOOK);
  const trees = [
    { directory: helpers, prefix: RUNTIME },
    { directory: venv, prefix: '/venv' },
  ] as const;
  const layer = await options.imageStore.packTrees(trees, { signal: session.signal });
  await options.imageStore.bindKey(key, layer);
  return layer;
}

async function hashOfHelpers(path: string): Promise<string> {
  const hash = createHash('sha256');
  const directory = join(path, 'tandem_runtime');
  const files = await readdir(directory, { recursive: true });
  for (const name of files.filter((one) => one.endsWith('.py')).sort()) {
    hash
      .update(name)
      .update('\0')
      .update(await readFile(join(directory, name)));
  }
  return hash.digest('hex');
}

/** By the shared uid, in a sandbox: the interpreter is the app's, not this machine's. */
async function compile(
  session: BuildSession,
  toolchain: Toolchain,
  helpers: string,
): Promise<void> {
  const uid = toolchain.sharedUid;
  // Its bytecode lies beside each module.
  const directories = (await readdir(helpers, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name));
  for (const path of [helpers, ...directories]) await chown(path, uid, uid);
  const compileAll = ['-m', 'compileall', '-q', '--invalidation-mode', 'unchecked-hash', RUNTIME];
  const { exit, logTail } = await session.run({
    name: 'runtime',
    layers: toolchain.baseLayers,
    args: [toolchain.interpreter.executable, ...compileAll],
    cwd: '/',
    uid,
    mounts: [mountOf(helpers, RUNTIME, false)],
    network: false,
  });
  if (exit.code !== 0) {
    throw new TandemError(
      'INTERNAL',
      `Our helpers do not compile for Python ${toolchain.minor}: ${logTail}`,
    );
  }
}
