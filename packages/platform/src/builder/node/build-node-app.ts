// The image of a Node.js app: packages, build scripts, code. In the end only what runs it is there.
import type { BuildContext } from '../build-context.ts';
import type { BuiltImage, ProcessType } from '../../domain/release.ts';
import { describeImage } from '../describe-image.ts';
import type { Detection } from '../detect/detect.ts';
import type { BuildStack } from '../collaborators.ts';
import type { NodeApp } from './detect-node-app.ts';
import { explainMissingProgram } from './explain-node.ts';
import { nodeGround, runScript, scriptAt } from './front-end.ts';
import { missingPrograms } from './missing-programs.ts';
import { cwdOf, moduleDirectories, NodeModules, type Modules } from './modules.ts';
import type { NodeRuntime } from './node-layer.ts';
import type { LayerRef } from '../../ports/image-store.ts';

export interface BuiltModules {
  /** With what building needs. */
  readonly full: Modules;
  readonly production: Promise<LayerRef>;
  readonly runtime: NodeRuntime;
}

/** The step `dependencies`, and the scripts after it. */
export async function buildNodeApp(
  context: BuildContext,
  detection: Detection & { readonly nodeApp: NodeApp },
): Promise<BuiltImage> {
  const { options, session, ground } = context;
  const { nodeApp } = detection;
  const { layers, built, system } = await session.report('dependencies', async () => {
    const system = await ground.running([], false);
    const { runtime, layers, key } = await nodeGround(context, nodeApp);
    const built = await modulesOf(context, nodeApp, { runtime, layers, ground: key });
    const kept = built.full.cached ? ', kept' : '';
    const detail = `${nodeApp.manager.name}, Node ${runtime.version}${kept}`;
    return { value: { layers, built, system }, detail };
  });
  await runScripts(context, nodeApp, layers, built.full);
  return await session.report('code', async () => {
    const [stack, dependencies, code] = await Promise.all([
      options.stacks.stack('base'),
      built.production,
      packCode(context),
    ]);
    const image = describe(context, detection, {
      stack,
      system: system.layer,
      dependencies,
      built,
      code,
    });
    return { value: image, detail: code.sha256.slice(0, 6) };
  });
}

async function modulesOf(
  { options, session, tree, inBackground }: BuildContext,
  { manager, manifest }: NodeApp,
  place: { runtime: NodeRuntime; layers: readonly LayerRef[]; ground: unknown },
): Promise<BuiltModules> {
  const modules = new NodeModules(options, session, tree);
  const request = { manager, ...place };
  const full = await modules.install({ ...request, name: 'node-modules' });
  void inBackground(full.layer);
  const { runtime } = place;
  if (Object.keys(manifest.devDependencies).length === 0) {
    return { full, production: full.layer, runtime };
  }
  const production = await modules.production({ ...request, name: 'node-prune' }, full);
  void inBackground(production.layer);
  return { full, production: production.layer, runtime };
}

async function runScripts(
  context: BuildContext,
  app: NodeApp,
  layers: readonly LayerRef[],
  modules: Modules,
): Promise<void> {
  if (app.buildScripts.length === 0) return;
  await context.session.report('node', async () => {
    for (const [index, script] of app.buildScripts.entries()) {
      const name = `node-build-${index}`;
      const { manifest, manager } = app;
      const request = { manifest, script, modules, layers, name };
      const [missing] = await missingPrograms(context.session, request);
      if (missing !== undefined) {
        throw explainMissingProgram(scriptAt(manifest, manager, script), missing, manager);
      }
      await runScript(context, app, { script, layers, mounts: modules.mounts, name });
    }
    return { value: undefined, detail: app.buildScripts.join(', ') };
  });
}

async function packCode({ options, session }: BuildContext): Promise<LayerRef> {
  const { source } = session.disk;
  const exclude = ['.git', ...(await moduleDirectories(source))];
  const entry = { directory: source, prefix: '/app', exclude };
  return await options.imageStore.packTrees([entry], { signal: session.signal });
}

interface Parts {
  readonly stack: BuildStack;
  readonly system: LayerRef | undefined;
  readonly dependencies: LayerRef;
  readonly built: BuiltModules;
  readonly code: LayerRef;
}

function describe(
  { session }: BuildContext,
  detection: Detection & { readonly nodeApp: NodeApp },
  { stack, system, dependencies, built, code }: Parts,
): BuiltImage {
  const { nodeApp, named, config } = detection;
  const layers = {
    stack: stack.layer,
    ...(system === undefined ? {} : { system }),
    interpreter: built.runtime.layer,
    dependencies,
    additions: [],
    code,
  };
  const env = { ...config.env, ...nodeAppEnv(detection) };
  const report = { stage: 'done' as const, notes: [] };
  const parts = { detection, report, lock: undefined, layers, env };
  return {
    ...describeImage({ ...parts, config: session.request.config }),
    nodeVersion: built.runtime.version,
    // Whoever names a server has one elsewhere.
    needsRedis: nodeApp.wantsRedis && session.request.config['REDIS_URL'] === undefined,
    processTypes: { ...webProcess(nodeApp), ...named.processes },
  };
}

function nodeAppEnv({ nodeApp, root }: Detection & { readonly nodeApp: NodeApp }) {
  const places = new Set([root, nodeApp.manager.directory].map(cwdOf));
  const programs = [...places].map((directory) => `${directory}/node_modules/.bin`);
  return {
    NODE_ENV: 'production',
    PATH: [...programs, '/opt/node/bin:/usr/local/bin:/usr/bin:/bin'].join(':'),
    NODE_EXTRA_CA_CERTS: '/etc/ssl/certs/ca-certificates.crt',
    // Next.js and others listen on what it names, which would be this sandbox's name.
    HOSTNAME: '::',
  };
}

function webProcess({ webCommand }: NodeApp): Record<string, ProcessType> {
  return webCommand === undefined ? {} : { web: { kind: 'web', command: webCommand } };
}
