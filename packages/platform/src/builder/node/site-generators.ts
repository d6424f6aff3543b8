// Tools that write a whole site of files, and where they write it. Pure.
import { dirname } from 'node:path/posix';
import { under, walkFiles, type SourceTree } from '../detect/source-tree.ts';
import { outputPaths } from './output-paths.ts';
import { allDependencies, type PackageJson } from './package-json.ts';

export interface SiteOutput {
  /** The dependency that tells. */
  readonly generator: string;
  /** Of the source; its index.html is there once the scripts have run. */
  readonly directory: string;
  /** Its pages are made in the browser: an address below it is a page too. */
  readonly router: string | undefined;
}

interface Generator {
  readonly packageName: string;
  /** Relative to package.json; undefined: a server. Without: as its scripts say. */
  readonly output?: (tree: SourceTree, manifest: PackageJson) => string | undefined;
  /** It bundles an index.html of the project, which must be there. */
  readonly bundlesPage?: true;
}

const ROUTERS = [
  'react-router-dom',
  'react-router',
  'vue-router',
  '@angular/router',
  '@tanstack/react-router',
  '@tanstack/vue-router',
  '@solidjs/router',
  'preact-router',
  'wouter',
  'svelte-routing',
  'svelte-spa-router',
];

const PAGE = /(^|\/)index\.html$/;
const ASTRO_SERVER = /\boutput\s*:\s*["'](server|hybrid)["']/;
const NEXT_EXPORT = /\boutput\s*:\s*["']export["']/;
const CONFIGURED_DIRECTORY = /\b(?:outDir|outputDir|output)\s*:\s*["'`]([^"'`$]+)["'`]/;
const ELEVENTY_OPTION = /\beleventy\b[^&|;]*--output[= ]["']?([^\s"']+)/;

const fixed = (directory: string) => (): string => directory;
const configured = (files: RegExp, standard: string) => (tree: SourceTree, at: PackageJson) =>
  CONFIGURED_DIRECTORY.exec(textOf(tree, at, files))?.[1] ?? standard;

/** Frameworks that use Vite or webpack come before these. */
const GENERATORS: readonly Generator[] = [
  {
    packageName: 'astro',
    output: (tree, at) => {
      const config = textOf(tree, at, /^astro\.config\./);
      return ASTRO_SERVER.test(config)
        ? undefined
        : (CONFIGURED_DIRECTORY.exec(config)?.[1] ?? 'dist');
    },
  },
  {
    packageName: '@11ty/eleventy',
    output: (tree, at) => {
      const option = Object.values(at.scripts).flatMap(
        (one) => ELEVENTY_OPTION.exec(one)?.[1] ?? [],
      );
      const config = textOf(tree, at, /^(\.eleventy|eleventy\.config)\.[cm]?js$/);
      return option[0] ?? CONFIGURED_DIRECTORY.exec(config)?.[1] ?? '_site';
    },
  },
  {
    packageName: 'next',
    output: (tree, at) =>
      NEXT_EXPORT.test(textOf(tree, at, /^next\.config\./)) ? 'out' : undefined,
  },
  { packageName: 'gatsby', output: fixed('public') },
  { packageName: '@docusaurus/core', output: fixed('build') },
  { packageName: 'hexo', output: fixed('public') },
  {
    packageName: '@sveltejs/kit',
    output: (_tree, at) =>
      allDependencies(at)['@sveltejs/adapter-static'] === undefined ? undefined : 'build',
  },
  { packageName: 'nuxt', output: () => undefined },
  { packageName: 'react-scripts', output: fixed('build'), bundlesPage: true },
  {
    packageName: '@vue/cli-service',
    output: configured(/^vue\.config\./, 'dist'),
    bundlesPage: true,
  },
  { packageName: 'vite', output: viteOutput, bundlesPage: true },
  { packageName: 'parcel', bundlesPage: true },
  { packageName: 'html-webpack-plugin', bundlesPage: true },
];

/** Undefined when no tool is known to write a site, or it writes a server. */
export function siteOutput(
  tree: SourceTree,
  manifest: PackageJson,
  scripts: readonly string[],
): SiteOutput | undefined {
  const dependencies = allDependencies(manifest);
  const generator = GENERATORS.find(({ packageName }) => dependencies[packageName] !== undefined);
  if (generator === undefined) return undefined;
  if (generator.bundlesPage && !hasPage(tree, manifest)) return undefined;
  const output = generator.output
    ? place(manifest, generator.output(tree, manifest))
    : outputPaths(tree, manifest, scripts)[0];
  if (output === undefined) return undefined;
  const router = ROUTERS.find((name) => generator.bundlesPage && dependencies[name] !== undefined);
  return { generator: generator.packageName, directory: output, router };
}

function place({ directory }: PackageJson, output: string | undefined): string | undefined {
  const path = output?.replace(/^\.\/|\/+$/g, '') ?? '';
  if (path === '' || path.startsWith('/') || path.split('/').includes('..')) return undefined;
  return under(directory, path);
}

/** Below the directory that the configuration calls its root. */
function viteOutput(tree: SourceTree, at: PackageJson): string {
  const config = textOf(tree, at, /^vite\.config\./);
  const root = /\broot\s*:\s*["'`]\.?\/?([^"'`$]+?)\/?["'`]/.exec(config)?.[1];
  // One that is worked out there shows when the build has written no page here.
  const output = CONFIGURED_DIRECTORY.exec(config)?.[1] ?? 'dist';
  if (root === undefined) return output;
  return output.startsWith('../') ? under(upOf(root), output.slice(3)) : under(root, output);
}

function upOf(path: string): string {
  const up = dirname(path);
  return up === '.' ? '' : up;
}

function hasPage(tree: SourceTree, { directory }: PackageJson): boolean {
  return walkFiles(tree, directory, 2).some((path) => PAGE.test(path));
}

function textOf(tree: SourceTree, { directory }: PackageJson, name: RegExp): string {
  const file = tree.list(directory).find((one) => one.kind === 'file' && name.test(one.name));
  return file === undefined ? '' : (tree.read(under(directory, file.name)) ?? '');
}
