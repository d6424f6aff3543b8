// Builds the front ends of a project before its static files are collected: packages, then scripts,
// under the app's build uid and with network.
import type { BuildContext } from '../build-context.ts';
import type { SandboxMount } from '../../ports/sandbox.ts';
import { mountOf } from '../build-session.ts';
import type { Finding } from '../../domain/release.ts';
import { addProgram, type AddedProgram, type AddedProgramRequest } from './added-programs.ts';
import { leftOut, type NodeBuild } from './detect-node-build.ts';
import {
  explainMissingProgram,
  explainNodeScript,
  installHint,
  saysMissing,
} from './explain-node.ts';
import { missingPrograms } from './missing-programs.ts';
import { cwdOf, moduleDirectories, nodeEnv, NodeModules, type Modules } from './modules.ts';
import { nodeLayer, type NodeRuntime } from './node-layer.ts';
import { nodeFinding } from './node-version.ts';
import { lineOfKey, type PackageJson } from './package-json.ts';
import {
  programCommand,
  programOf,
  scriptCommand,
  type ManagerCommand,
  type PackageManager,
} from './package-manager.ts';
import type { Program } from './production-program.ts';
import type { LayerRef } from '../../ports/image-store.ts';

export interface FrontEnds {
  /** Installed packages, for what reads them when files are collected. */
  readonly mounts: readonly SandboxMount[];
  /** Paths of the source that are no part of the app. */
  readonly leftOut: readonly string[];
  /** What only the installed packages show. */
  readonly findings: readonly Finding[];
  readonly detail: string;
}

export const NO_FRONT_END: FrontEnds = { mounts: [], leftOut: [], findings: [], detail: '' };

export async function buildFrontEnds(
  context: BuildContext,
  builds: readonly NodeBuild[],
): Promise<FrontEnds> {
  const built: BuiltFrontEnd[] = [];
  for (const [index, build] of builds.entries()) built.push(await buildOne(context, build, index));
  return {
    mounts: built.flatMap(({ installed }) => installed.mounts),
    leftOut: await moduleDirectories(context.session.disk.source),
    findings: built.flatMap(({ findings }) => findings),
    detail: built.map(detailOf).join('; '),
  };
}

interface BuiltFrontEnd {
  readonly installed: Modules;
  readonly runtime: NodeRuntime;
  /** Those that ran. */
  readonly scripts: readonly string[];
  readonly findings: readonly Finding[];
}

function detailOf({ installed, runtime, scripts }: BuiltFrontEnd): string {
  const kept = installed.cached ? ', packages kept' : '';
  return `${scripts.join(', ') || 'packages'}, Node ${runtime.version}${kept}`;
}

async function buildOne(
  context: BuildContext,
  build: NodeBuild,
  index: number,
): Promise<BuiltFrontEnd> {
  const { options, session, tree } = context;
  const { manager, manifest } = build;
  const { runtime, layers, key } = await nodeGround(context, build);
  const installed = await new NodeModules(options, session, tree).install({
    name: `node-modules-${index}`,
    manager,
    runtime,
    layers,
    ground: key,
  });
  void context.inBackground(installed.layer);
  const scripts: string[] = [];
  const findings: Finding[] = [];
  for (const [number, script] of build.scripts.entries()) {
    const name = `node-${index}-${number}`;
    const request = { manifest, script, modules: installed, layers, name };
    const missing = await missingPrograms(session, request);
    const evidence = lineOfKey(manifest, script);
    const added = await addPrograms(context, missing, { manager, runtime, layers, evidence });
    const [first = ''] = missing;
    if (added !== undefined) {
      const all = [...layers, ...added.map(({ layer }) => layer)];
      await runScript(context, build, { script, layers: all, mounts: installed.mounts, name });
      scripts.push(script);
      findings.push(...added.map((one) => one.finding));
    } else if (build.isConfigured) {
      throw explainMissingProgram(scriptAt(manifest, manager, script), first, manager);
    } else {
      const why = `${saysMissing(first)}; ${installHint(first, manager)}`;
      findings.push(leftOut(manifest, script, why, evidence));
    }
  }
  const { program } = build;
  if (program !== undefined) {
    await runProgram(context, build, {
      program,
      layers,
      mounts: installed.mounts,
      name: `node-${index}`,
    });
    scripts.push(program.args.join(' '));
  }
  return { installed, runtime, scripts, findings };
}

/** Undefined when one of them cannot be added. */
async function addPrograms(
  context: BuildContext,
  programs: readonly string[],
  request: Omit<AddedProgramRequest, 'program'>,
): Promise<AddedProgram[] | undefined> {
  const added: AddedProgram[] = [];
  for (const program of programs) {
    const one = await addProgram(context, { ...request, program });
    if (one === undefined) return undefined;
    added.push(one);
  }
  return added;
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
  context: BuildContext,
  { manifest, manager }: Pick<NodeBuild, 'manifest' | 'manager'>,
  { script, ...place }: ScriptRun,
): Promise<void> {
  const command = scriptCommand(manager, script);
  const said = scriptAt(manifest, manager, script);
  await runInSource(context, { ...place, ...command, ...said, directory: manifest.directory });
}

async function runProgram(
  context: BuildContext,
  { manifest }: NodeBuild,
  { program, ...place }: Omit<ScriptRun, 'script'> & { readonly program: Program },
): Promise<void> {
  const said = { command: program.args.join(' '), where: program.file };
  const command = programCommand(program.args);
  await runInSource(context, { ...place, ...command, ...said, directory: manifest.directory });
}

interface SourceRun extends Omit<ScriptRun, 'script'>, ManagerCommand {
  readonly directory: string;
  /** As people know it, and where it is written. */
  readonly command: string;
  readonly where: string;
}

async function runInSource({ options, session }: BuildContext, run: SourceRun): Promise<void> {
  const { disk, request } = session;
  const { exit, logTail } = await session.run({
    name: run.name,
    layers: run.layers,
    args: run.args,
    env: { NODE_ENV: 'production', ...nodeEnv(options, session), ...run.env },
    cwd: cwdOf(run.directory),
    uid: request.buildUid,
    mounts: [
      ...[mountOf(disk.work, '/build', false), mountOf(disk.source, '/app', false)],
      ...run.mounts,
    ],
    network: true,
  });
  if (exit.code !== 0) throw explainNodeScript({ ...run, logTail });
}

/** For what is said when it fails. */
export function scriptAt(manifest: PackageJson, manager: PackageManager, script: string) {
  return { command: `${programOf(manager)} run ${script}`, where: lineOfKey(manifest, script) };
}
