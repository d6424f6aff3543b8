// Builds the front ends of a project before its static files are collected: packages, then scripts,
// under the app's build uid and with network.
import type { BuildContext } from '../build-context.ts';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { SandboxMount } from '../../ports/sandbox.ts';
import { mountOf } from '../build-session.ts';
import type { NodeBuild } from './detect-node-build.ts';
import { explainNodeScript } from './explain-node.ts';
import { cwdOf, nodeEnv, NodeModules, type Modules } from './modules.ts';
import { nodeLayer, type NodeRuntime } from './node-layer.ts';
import { nodeFinding } from './node-version.ts';
import { lineOfKey } from './package-json.ts';
import { scriptCommand } from './package-manager.ts';
import type { LayerRef } from '../../ports/image-store.ts';

const DEPTH_MAX = 6;
const MODULE_DIRECTORIES_MAX = 500;

export interface FrontEnds {
  /** Installed packages, for what reads them when files are collected. */
  readonly mounts: readonly SandboxMount[];
  /** Paths of the source that are no part of the app. */
  readonly leftOut: readonly string[];
  readonly detail: string;
}

export const NO_FRONT_END: FrontEnds = { mounts: [], leftOut: [], detail: '' };

export async function buildFrontEnds(
  context: BuildContext,
  builds: readonly NodeBuild[],
): Promise<FrontEnds> {
  const modules: Modules[] = [];
  const details: string[] = [];
  for (const [index, build] of builds.entries()) {
    const { installed, runtime } = await buildOne(context, build, index);
    modules.push(installed);
    const scripts = build.scripts.join(', ') || 'packages';
    details.push(`${scripts}, Node ${runtime.version}${installed.cached ? ', packages kept' : ''}`);
  }
  return {
    mounts: modules.flatMap(({ mounts }) => mounts),
    leftOut: await moduleDirectories(context.session.disk.source),
    detail: details.join('; '),
  };
}

/** Those of workspaces lie beside their package.json, wherever that is. */
export async function moduleDirectories(source: string): Promise<string[]> {
  const found: string[] = [];
  const visit = async (directory: string, depth: number): Promise<void> => {
    if (depth > DEPTH_MAX || found.length > MODULE_DIRECTORIES_MAX) return;
    const entries = await readdir(join(source, directory), { withFileTypes: true });
    for (const entry of entries.filter((one) => one.isDirectory())) {
      const path = join(directory, entry.name);
      if (entry.name === 'node_modules') found.push(path);
      else if (entry.name !== '.git') await visit(path, depth + 1);
    }
  };
  await visit('', 0);
  return found;
}

async function buildOne(
  context: BuildContext,
  build: NodeBuild,
  index: number,
): Promise<{ installed: Modules; runtime: NodeRuntime }> {
  const { options, session, tree } = context;
  const { manager } = build;
  const { runtime, layers, key } = await nodeGround(context, build);
  const installed = await new NodeModules(options, session, tree).install({
    name: `node-modules-${index}`,
    manager,
    runtime,
    layers,
    ground: key,
  });
  void context.inBackground(installed.layer);
  const mounts = [...installed.mounts];
  for (const [number, script] of build.scripts.entries()) {
    await runScript(context, build, { script, layers, mounts, name: `node-${index}-${number}` });
  }
  return { installed, runtime };
}

/** The stack with compilers, what the project asks for beside it, and Node.js. */
export async function nodeGround(
  { options, session, ground, sharedUid }: BuildContext,
  { node, manager }: Pick<NodeBuild, 'node' | 'manager'>,
): Promise<{ runtime: NodeRuntime; layers: LayerRef[]; key: readonly string[] }> {
  const stack = await options.stacks.stack('base');
  const runtime = await nodeLayer(options, session, { wish: node, manager, stack, uid: sharedUid });
  session.request.progress.finding(nodeFinding(node, runtime.version));
  const below = await ground.building([]);
  const { name } = await options.stacks.stack('build');
  return { runtime, layers: [...below, runtime.layer], key: [name, ...ground.buildingKey([])] };
}

export interface ScriptRun {
  readonly script: string;
  readonly layers: readonly LayerRef[];
  readonly mounts: readonly SandboxMount[];
  /** Of the step. */
  readonly name: string;
}

export async function runScript(
  { options, session }: BuildContext,
  { manifest, manager }: Pick<NodeBuild, 'manifest' | 'manager'>,
  { script, layers, mounts, name }: ScriptRun,
): Promise<void> {
  const { args, env } = scriptCommand(manager, script);
  const { disk, request } = session;
  const { exit, logTail } = await session.run({
    name,
    layers,
    args,
    env: { NODE_ENV: 'production', ...nodeEnv(options, session), ...env },
    cwd: cwdOf(manifest.directory),
    uid: request.buildUid,
    mounts: [mountOf(disk.work, '/build', false), mountOf(disk.source, '/app', false), ...mounts],
    network: true,
  });
  if (exit.code === 0) return;
  const command = `${manager.name} run ${script}`;
  throw explainNodeScript({ command, where: lineOfKey(manifest, script), logTail });
}
