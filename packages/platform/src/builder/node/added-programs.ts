// Programs that scripts of package.json call and that every developer has installed for the whole
// machine: the newest of each, as a layer of its own that all apps share.
import { chown, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import semver from 'semver';
import type { Finding } from '../../domain/release.ts';
import type { LayerRef } from '../../ports/image-store.ts';
import type { BuildContext } from '../build-context.ts';
import { mountOf } from '../build-session.ts';
import { contentKey } from '../content-key.ts';
import { finding } from '../detect/evidence.ts';
import { explainNodeInstall, installHint } from './explain-node.ts';
import { nodeEnv, PROGRAMS_DIRECTORY } from './modules.ts';
import type { NodeRuntime } from './node-layer.ts';
import type { PackageManager } from './package-manager.ts';
import { packageOf } from './script-commands.ts';

/** They need nothing beside themselves: no plugins, no configuration that names other packages. */
const STANDALONE = new Set([
  ...['sass', 'lessc', 'stylus', 'csso', 'cleancss'],
  ...['uglifyjs', 'terser', 'esbuild', 'coffee', 'tsc', 'handlebars'],
]);

export interface AddedProgram {
  readonly layer: LayerRef;
  readonly finding: Finding;
}

export interface AddedProgramRequest {
  readonly program: string;
  readonly manager: PackageManager;
  readonly runtime: NodeRuntime;
  readonly layers: readonly LayerRef[];
  /** Where the script is written. */
  readonly evidence: string;
}

/** Undefined for a program that is not known to work by itself. */
export async function addProgram(
  context: BuildContext,
  request: AddedProgramRequest,
): Promise<AddedProgram | undefined> {
  const { program, manager, runtime, evidence } = request;
  if (!STANDALONE.has(program)) return undefined;
  const packageName = packageOf(program);
  const published = Object.keys(await context.options.packageRegistry.versions(packageName));
  const version = semver.maxSatisfying(published, '*');
  if (version === null) return undefined;
  const why = `a script calls it and no package brings it; ${installHint(program, manager)}`;
  const added = finding('node program', `${packageName} ${version}`, why, evidence);
  const key = contentKey('node-program', {
    packageName,
    version,
    node: runtime.layer.sha256,
  });
  const known = await context.options.imageStore.findByKey(key);
  const layer = known ?? (await install(context, request, `${packageName}@${version}`));
  if (known === undefined) await context.options.imageStore.bindKey(key, layer);
  return { layer: context.session.keep(layer), finding: added };
}

/** No script of a package runs: the layer is for everybody. */
async function install(
  { options, session, sharedUid }: BuildContext,
  { program, manager, layers }: AddedProgramRequest,
  specifier: string,
): Promise<LayerRef> {
  const directory = join(session.disk.work, '..', `node-program-${program}`);
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { mode: 0o755 });
  await chown(directory, sharedUid, sharedUid);
  const { exit, logTail } = await session.run({
    name: `node-program-${program}`,
    layers,
    args: ['npm', 'install', '--global', '--ignore-scripts', '--prefix', '/build', specifier],
    env: { ...nodeEnv(options, session), npm_config_cache: '/tmp/npm-cache' },
    uid: sharedUid,
    mounts: [mountOf(directory, '/build', false)],
    network: true,
  });
  if (exit.code !== 0) throw explainNodeInstall(manager, logTail);
  const entry = { directory, prefix: PROGRAMS_DIRECTORY };
  return await options.imageStore.packTrees([entry], { signal: session.signal });
}
