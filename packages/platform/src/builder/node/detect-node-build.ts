// Whether a front end must be built before static files are collected: package.json in or beside the
// app, with a script whose output did not come with the source. Pure.
import { TandemError } from '@tandem/protocol';
import type { Finding } from '../../domain/release.ts';
import { detected, finding, type Detected } from '../detect/evidence.ts';
import { under, walkFiles, type SourceTree } from '../detect/source-tree.ts';
import { expectedOutput } from './expected-output.ts';
import { ignoredPaths, isIgnored } from './ignored-paths.ts';
import { detectNodeVersion, type NodeWish } from './node-version.ts';
import { isPresent, outputPaths, toolTexts, writtenDirectories } from './output-paths.ts';
import {
  lineOfKey,
  readPackageJson,
  readSoundPackageJson,
  type PackageJson,
} from './package-json.ts';
import { detectPackageManager, programOf, upward, type PackageManager } from './package-manager.ts';
import { programOfManifest, type Program } from './production-program.ts';
import {
  ignoredOutput,
  isOfTheSite,
  pythonTexts,
  READERS,
  servesModules,
  type NodeProject,
} from './site-evidence.ts';

export interface NodeBuild {
  readonly manifest: PackageJson;
  readonly manager: PackageManager;
  readonly node: NodeWish;
  /** Run in this order; empty: only the installed packages are needed. */
  readonly scripts: readonly string[];
  /** Run where no script builds. */
  readonly program?: Program;
  /** The user's word: what cannot run is an error, not left out. */
  readonly isConfigured: boolean;
}

const DEPTH_MAX = 3;
const BUILDS_MAX = 4;
/** Their front ends are not the site. */
const ASIDE =
  /(^|\/)(docs?|e2e|tests?|cypress|examples?|website|mobile|node_modules|storybook)(\/|$)/;
const SCRIPTS = ['build', 'build:prod', 'build:production', 'build-prod', 'production', 'prod'];
const PARTS =
  /^(build|compile)[:-](?!dev|watch|test|docs?|storybook|analy)|^(css|tailwind)[:-]build$/;
const WATCHES = /--watch\b|\s-w\b|\bserve\b|\bwatch\b/;
/** Where there are two, the other one is for production. */
const FOR_DEVELOPMENT = /(--mode|NODE_ENV)[=\s]development\b/;
export function detectNodeBuilds(tree: SourceTree, project: NodeProject): Detected<NodeBuild[]> {
  const { config } = project;
  if (config.node === false) return detected([]);
  const configured = configuredBuild(tree, project);
  if (configured !== undefined) return configured;
  const results = candidates(tree, project).map((manifest) => judge(tree, project, manifest));
  const builds = results.flatMap(({ value }) => value ?? []).slice(0, BUILDS_MAX);
  return { value: builds, findings: results.flatMap(({ findings }) => findings) };
}

/** `node = true` or a table: the user's word, whatever the output looks like. */
function configuredBuild(
  tree: SourceTree,
  project: NodeProject,
): Detected<NodeBuild[]> | undefined {
  const { config, root } = project;
  if (config.node === undefined || config.node === false) return undefined;
  const wish = config.node === true ? {} : config.node;
  const places = wish.directory === undefined ? [...upward(root)] : [trimmed(wish.directory)];
  const manifest = places.flatMap((place) => readPackageJson(tree, place) ?? [])[0];
  if (manifest === undefined) {
    throw new TandemError('TANDEM_TOML_INVALID', `There is no ${places[0] ?? ''}/package.json.`, {
      where: 'tandem.toml',
      hint: 'name its directory: node = { directory = "frontend" }',
    });
  }
  const scripts = wish.build === undefined ? buildScripts(manifest) : [wish.build].flat();
  const missing = scripts.find((name) => manifest.scripts[name] === undefined);
  if (missing !== undefined) {
    const message = `${manifest.path} has no script "${missing}".`;
    throw new TandemError('TANDEM_TOML_INVALID', message, {
      where: 'tandem.toml',
      hint: `it has: ${Object.keys(manifest.scripts).join(', ')}`,
    });
  }
  const program = scripts.length === 0 ? programOfManifest(tree, manifest)?.program : undefined;
  return buildOf(tree, project, manifest, program ?? scripts, 'set in tandem.toml');
}

function trimmed(path: string): string {
  return path.replace(/^\.\/?|\/$/g, '');
}

/** The app's own first, then those above it, then those below. */
function candidates(tree: SourceTree, { root }: NodeProject): PackageJson[] {
  const below = walkFiles(tree, root, DEPTH_MAX)
    .filter((path) => path.endsWith('/package.json') && !ASIDE.test(path))
    .map((path) => path.slice(0, -'/package.json'.length));
  const beside = root === '' ? [] : tree.list('').map(({ name }) => name);
  const own = new Set(upward(root));
  const others = new Set([...below, ...beside.filter((directory) => !ASIDE.test(directory))]);
  return [
    ...[...own].flatMap((directory) => readPackageJson(tree, directory) ?? []),
    ...[...others]
      .filter((one) => !own.has(one))
      .flatMap((directory) => readSoundPackageJson(tree, directory) ?? []),
  ];
}

function judge(
  tree: SourceTree,
  project: NodeProject,
  manifest: PackageJson,
): Detected<NodeBuild[] | undefined> {
  const scripts = buildScripts(manifest);
  if (scripts.length === 0) {
    const byProgram = judgeProgram(tree, project, manifest);
    return byProgram.value === undefined && byProgram.findings.length === 0
      ? judgeModules(tree, project, manifest)
      : byProgram;
  }
  const [first = ''] = scripts;
  const evidence = lineOfKey(manifest, first);
  const outputs = outputPaths(tree, manifest, scripts);
  if (!isOfTheSite(tree, project, manifest, outputs)) return detected(undefined);
  const missing = outputs.find((path) => !isPresent(tree, path));
  if (missing !== undefined) {
    const why = `its output ${missing} is not in the source`;
    return buildOf(tree, project, manifest, scripts, why, evidence);
  }
  const expected = expectedOutput(tree, {
    directory: manifest.directory,
    toolTexts: toolTexts(tree, manifest, scripts),
    outputs: writtenDirectories(tree, manifest, scripts),
    siteTexts: pythonTexts(tree, project).map(({ text }) => text),
  });
  if (expected !== undefined) {
    const why = `its output ${expected.path} is not in the source (${expected.evidence})`;
    return buildOf(tree, project, manifest, scripts, why, evidence);
  }
  if (outputs.length > 0) {
    const why = `its output is in the source: ${outputs.join(', ')}`;
    return detected(undefined, leftOut(manifest, first, why, evidence));
  }
  const sign =
    ignoredOutput(tree, manifest) ??
    project.names.find((n) => READERS.includes(n)) ??
    servesModules(tree, project, manifest);
  if (sign !== undefined) {
    const why = `the project expects its output: ${sign}`;
    return buildOf(tree, project, manifest, scripts, why, evidence);
  }
  const why = 'where it writes is not known; if the site needs it: node = true in tandem.toml';
  return detected(undefined, leftOut(manifest, first, why, evidence));
}

/** gulp and the like without a script: only where the site is not whole without what it writes. */
function judgeProgram(
  tree: SourceTree,
  project: NodeProject,
  manifest: PackageJson,
): Detected<NodeBuild[] | undefined> {
  const found = programOfManifest(tree, manifest);
  if (found === undefined) return detected(undefined);
  const { directory } = manifest;
  const ignored = ignoredPaths(tree, directory);
  const outputs = outputPaths(tree, manifest, []);
  const missing = outputs.find(
    (path) => !isPresent(tree, path) && isIgnored(ignored, path) !== undefined,
  );
  const expected = expectedOutput(tree, {
    directory,
    toolTexts: found.texts,
    outputs: writtenDirectories(tree, manifest, []),
    siteTexts: pythonTexts(tree, project).map(({ text }) => text),
  });
  const isNeeded =
    expected !== undefined ||
    (missing !== undefined && isOfTheSite(tree, project, manifest, [missing]));
  if (!isNeeded) return detected(undefined);
  const output = expected?.path ?? missing ?? '';
  if (found.program === undefined) {
    const why = `${found.refusal ?? 'it has no task that builds'}; give package.json a script "build" that writes ${output}`;
    return detected(undefined, finding('node build', `none by ${found.file}`, why, found.file));
  }
  const why = `its output ${output} is not in the source`;
  return buildOf(tree, project, manifest, found.program, why, found.file);
}

function judgeModules(
  tree: SourceTree,
  project: NodeProject,
  manifest: PackageJson,
): Detected<NodeBuild[] | undefined> {
  const served = servesModules(tree, project, manifest);
  const isThere = isPresent(tree, under(manifest.directory, 'node_modules'));
  if (served === undefined || isThere) return detected(undefined);
  return buildOf(tree, project, manifest, [], 'the settings serve files of node_modules', served);
}

/** To be run, with why. */
export function buildOf(
  tree: SourceTree,
  { root, config }: NodeProject,
  manifest: PackageJson,
  work: readonly string[] | Program,
  why: string,
  evidence = manifest.path,
): Detected<NodeBuild[]> {
  const manager = detectPackageManager(tree, manifest);
  const wished = typeof config.node === 'object' ? config.node.version : undefined;
  const node = detectNodeVersion(tree, manifest, [manager.directory, root, ''], wished);
  const common = { manifest, manager, node, isConfigured: config.node !== undefined };
  const build = isProgram(work)
    ? { ...common, scripts: [], program: work }
    : { ...common, scripts: work };
  const place = manifest.directory === '' ? '' : ` in ${manifest.directory}`;
  return detected([build], finding('node build', `${shown(build)}${place}`, why, evidence));
}

function isProgram(work: readonly string[] | Program): work is Program {
  return 'args' in work;
}

function shown({ manager, scripts, program }: NodeBuild): string {
  if (program !== undefined) return program.args.join(' ');
  const what = scripts.length === 0 ? 'install' : scripts.map((name) => `run ${name}`).join(', ');
  return `${programOf(manager)} ${what}`;
}

export function leftOut(
  { directory }: PackageJson,
  script: string,
  why: string,
  evidence: string,
): Finding {
  return finding('node build', `no "${script}" in ${directory || '.'}`, why, evidence);
}

export function buildScripts({ scripts }: PackageJson): string[] {
  const usable = (name: string): boolean =>
    (scripts[name] ?? '').trim() !== '' && !WATCHES.test(scripts[name] ?? '');
  const whole =
    SCRIPTS.find((name) => usable(name) && !FOR_DEVELOPMENT.test(scripts[name] ?? '')) ??
    SCRIPTS.find(usable);
  if (whole !== undefined) return [whole];
  return Object.keys(scripts).filter((name) => PARTS.test(name) && usable(name));
}
