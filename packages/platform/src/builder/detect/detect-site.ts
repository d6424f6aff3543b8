// A site that is nothing but files: as they lie there, or as a build writes them. Only asked where no
// app was found. Pure.
import type { StaticRoute } from '../../domain/release.ts';
import { buildScripts, buildOf, type NodeBuild } from '../node/detect-node-build.ts';
import { readPackageJson, type PackageJson } from '../node/package-json.ts';
import { siteOutput, type SiteOutput } from '../node/site-generators.ts';
import { detected, finding, type Detected } from './evidence.ts';
import { hasFile, insideApp, under, type SourceTree } from './source-tree.ts';
import { configuredMappings, isServable } from './static-mappings.ts';
import type { TandemConfig } from './tandem-toml.ts';

export interface Site {
  readonly route: StaticRoute;
  /** What writes it. */
  readonly build?: NodeBuild;
}

/** Where an index.html is looked for. */
const DIRECTORIES = ['', 'public', 'dist', 'build', '_site'];
const BUILT_DIRECTORIES = ['dist', 'build', '_site', 'out'];

/** What `/` is mapped to, what is built, or a directory with an index.html. */
export function detectSite(
  tree: SourceTree,
  root: string,
  config: TandemConfig = {},
  origin = 'tandem.toml',
): Detected<Site> | undefined {
  const mappings = configuredMappings(tree, root, config.static, origin).value;
  const mapped = mappings.find(({ url }) => url === '/');
  if (mapped) {
    const set = finding('framework', 'static', 'set by you', origin);
    return detected({ route: mapped }, set);
  }
  const manifest = config.node === false ? undefined : readPackageJson(tree, placeOf(root, config));
  const scripts = manifest === undefined ? [] : scriptsOf(manifest, config);
  const output = manifest && scripts.length > 0 ? siteOutput(tree, manifest, scripts) : undefined;
  // The index.html of what is built is a template until it was built.
  const committed = siteOfFiles(tree, root, output ? BUILT_DIRECTORIES : DIRECTORIES, output);
  if (committed !== undefined || manifest === undefined || output === undefined) return committed;
  return builtSite(tree, { root, config, manifest, scripts, output });
}

function placeOf(root: string, { node }: TandemConfig): string {
  const wished = typeof node === 'object' ? node.directory : undefined;
  return wished === undefined ? root : wished.replace(/^\.\/?|\/$/g, '');
}

function scriptsOf(manifest: PackageJson, { node }: TandemConfig): string[] {
  const wished = typeof node === 'object' ? node.build : undefined;
  return wished === undefined ? buildScripts(manifest) : [wished].flat();
}

function siteOfFiles(
  tree: SourceTree,
  root: string,
  names: readonly string[],
  output: SiteOutput | undefined,
): Detected<Site> | undefined {
  for (const name of names) {
    const directory = name === '' ? root : under(root, name);
    const index = under(directory, 'index.html');
    if (!hasFile(tree, index) || !isServable(insideApp(directory))) continue;
    const why = 'an index.html and no app: files only';
    return detected(
      { route: routeTo(directory, output) },
      finding('framework', 'static', why, index),
    );
  }
  return undefined;
}

function routeTo(directory: string, output: SiteOutput | undefined): StaticRoute {
  const route = { url: '/', directory: insideApp(directory) };
  return output?.router === undefined ? route : { ...route, isSinglePage: true };
}

interface Built {
  readonly root: string;
  readonly config: TandemConfig;
  readonly manifest: PackageJson;
  readonly scripts: readonly string[];
  readonly output: SiteOutput;
}

function builtSite(
  tree: SourceTree,
  { root, config, manifest, scripts, output }: Built,
): Detected<Site> | undefined {
  const { directory, generator, router } = output;
  if (!isServable(insideApp(directory))) return undefined;
  const why = `${generator} writes it, and no app`;
  const project = { root, config, names: [], settingsFile: undefined };
  const build = buildOf(tree, project, manifest, scripts, `the site is ${directory}`);
  const [first] = build.value;
  const route = routeTo(directory, output);
  return {
    value: { route, ...(first ? { build: first } : {}) },
    findings: [
      finding('framework', 'static', why, manifest.path),
      ...build.findings,
      ...(router
        ? [finding('static', 'index.html for every page', `${router} makes them`, manifest.path)]
        : []),
    ],
  };
}
