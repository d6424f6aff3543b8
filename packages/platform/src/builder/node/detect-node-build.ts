// Whether a front end must be built before static files are collected: package.json in or beside the
// app, with a script whose output did not come with the source. Pure.
import { TandemError } from '@tandem/protocol';
import type { Finding } from '../../domain/release.ts';
import { detected, finding, type Detected } from '../detect/evidence.ts';
import { under, walkFiles, type SourceTree } from '../detect/source-tree.ts';
import type { TandemConfig } from '../detect/tandem-toml.ts';
import { detectNodeVersion, type NodeWish } from './node-version.ts';
import { isPresent, outputPaths } from './output-paths.ts';
import { lineOfKey, readPackageJson, type PackageJson } from './package-json.ts';
import { detectPackageManager, programOf, upward, type PackageManager } from './package-manager.ts';

export interface NodeBuild {
  readonly manifest: PackageJson;
  readonly manager: PackageManager;
  readonly node: NodeWish;
  /** Run in this order; empty: only the installed packages are needed. */
  readonly scripts: readonly string[];
  /** The user's word: what cannot run is an error, not left out. */
  readonly isConfigured: boolean;
}

export interface NodeProject {
  /** Directory of the app. */
  readonly root: string;
  readonly config: TandemConfig;
  /** Distributions that the project asks for. */
  readonly names: readonly string[];
  readonly settingsFile: string | undefined;
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
/** Python packages that read what a front-end build wrote. */
const READERS = [
  'django-vite',
  'django-webpack-loader',
  'django-manifest-loader',
  'django-tailwind',
];
const OUTPUT_NAMES = /(^|\/)(dist|build|bundles?|compiled|generated|webpack_bundles)\/?(\*.*)?$/m;

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
  return buildOf(tree, project, manifest, scripts, 'set in tandem.toml');
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
  const directories = new Set([...upward(root), ...below, ...beside.filter((d) => !ASIDE.test(d))]);
  return [...directories].flatMap((directory) => readPackageJson(tree, directory) ?? []);
}

function judge(
  tree: SourceTree,
  project: NodeProject,
  manifest: PackageJson,
): Detected<NodeBuild[] | undefined> {
  const served = servesModules(tree, project, manifest);
  const scripts = buildScripts(manifest);
  if (scripts.length === 0) {
    const isThere = isPresent(tree, under(manifest.directory, 'node_modules'));
    if (served === undefined || isThere) return detected(undefined);
    return buildOf(tree, project, manifest, [], 'the settings serve files of node_modules', served);
  }
  const [first = ''] = scripts;
  const evidence = lineOfKey(manifest, first);
  const outputs = outputPaths(tree, manifest, scripts);
  if (!isOfTheSite(tree, project, manifest, outputs)) return detected(undefined);
  const missing = outputs.find((path) => !isPresent(tree, path));
  if (outputs.length > 0 && missing === undefined) {
    const why = `its output is in the source: ${outputs.join(', ')}`;
    return detected(undefined, leftOut(manifest, first, why, evidence));
  }
  if (missing !== undefined) {
    const why = `its output ${missing} is not in the source`;
    return buildOf(tree, project, manifest, scripts, why, evidence);
  }
  const sign =
    ignoredOutput(tree, manifest) ?? project.names.find((n) => READERS.includes(n)) ?? served;
  if (sign !== undefined) {
    return buildOf(
      tree,
      project,
      manifest,
      scripts,
      `the project expects its output: ${sign}`,
      evidence,
    );
  }
  const why = 'where it writes is not known; if the site needs it: node = true in tandem.toml';
  return detected(undefined, leftOut(manifest, first, why, evidence));
}

/** To be run, with why. */
export function buildOf(
  tree: SourceTree,
  { root, config }: NodeProject,
  manifest: PackageJson,
  scripts: readonly string[],
  why: string,
  evidence = manifest.path,
): Detected<NodeBuild[]> {
  const manager = detectPackageManager(tree, manifest);
  const wished = typeof config.node === 'object' ? config.node.version : undefined;
  const node = detectNodeVersion(tree, manifest, [manager.directory, root, ''], wished);
  const what = scripts.length === 0 ? 'install' : scripts.map((name) => `run ${name}`).join(', ');
  const place = manifest.directory === '' ? '' : ` in ${manifest.directory}`;
  const value = `${programOf(manager)} ${what}${place}`;
  const isConfigured = config.node !== undefined;
  return detected(
    [{ manifest, manager, node, scripts, isConfigured }],
    finding('node build', value, why, evidence),
  );
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

/** In the app's directory or above it, that is the site's; below, something must point there. */
function isOfTheSite(
  tree: SourceTree,
  project: NodeProject,
  manifest: PackageJson,
  outputs: readonly string[],
): boolean {
  const { directory } = manifest;
  if (upward(project.root).includes(directory)) return true;
  if (outputs.some((path) => !path.startsWith(`${directory}/`))) return true;
  if (project.names.some((name) => READERS.includes(name))) return true;
  const mentions = [directory.slice(directory.lastIndexOf('/') + 1), directory];
  return pythonTexts(tree, project).some(({ text }) =>
    mentions.some((name) => new RegExp(`["'/]${escaped(name)}["'/]`).test(text)),
  );
}

/** `file:line` of a mention of this node_modules in the settings. */
function servesModules(
  tree: SourceTree,
  project: NodeProject,
  { directory }: PackageJson,
): string | undefined {
  const isNear = directory === '' || upward(project.root).includes(directory);
  for (const { path, text } of isNear ? pythonTexts(tree, project) : []) {
    const lines = text.split('\n');
    const index = lines.findIndex((line) => /^[^#]*["'/]node_modules\b/.test(line));
    if (index >= 0) return `${path}:${index + 1}`;
  }
  return undefined;
}

/** Settings stand side by side; without Django, the files at the root say it. */
function pythonTexts(tree: SourceTree, { root, settingsFile }: NodeProject) {
  const at = settingsFile?.lastIndexOf('/') ?? -1;
  const directory = settingsFile === undefined ? root : settingsFile.slice(0, Math.max(at, 0));
  return walkFiles(tree, directory, 1)
    .filter((path) => path.endsWith('.py'))
    .slice(0, 60)
    .map((path) => ({ path, text: tree.read(path) ?? '' }));
}

function ignoredOutput(tree: SourceTree, { directory }: PackageJson): string | undefined {
  for (const place of upward(directory)) {
    const path = under(place, '.gitignore');
    const lines = (tree.read(path) ?? '').split(/\r?\n/);
    const index = lines.findIndex((line) => OUTPUT_NAMES.test(line.trim()));
    // The ignore lists that everybody copies name Python's own build directories too.
    if (index >= 0 && !/^\/?(build|dist)\/?$/.test(lines[index]?.trim() ?? '')) {
      return `${path}:${index + 1}`;
    }
  }
  return undefined;
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
