// What in a Python project tells that a front end is the site's: where it lies, what the settings name,
// what is git-ignored. Pure.
import { escapeRegexp } from '../../lib/escape-regexp.ts';
import { firstLine, under, walkFiles, type SourceTree } from '../detect/source-tree.ts';
import type { TandemConfig } from '../detect/tandem-toml.ts';
import type { PackageJson } from './package-json.ts';
import { upward } from './package-manager.ts';

export interface NodeProject {
  /** Directory of the app. */
  readonly root: string;
  readonly config: TandemConfig;
  /** Distributions that the project asks for. */
  readonly names: readonly string[];
  readonly settingsFile: string | undefined;
}

/** Python packages that read what a front-end build wrote. */
export const READERS = [
  'django-vite',
  'django-webpack-loader',
  'django-manifest-loader',
  'django-tailwind',
];
const OUTPUT_NAMES = /(^|\/)(dist|build|bundles?|compiled|generated|webpack_bundles)\/?(\*.*)?$/m;

/** In the app's directory or above it, that is the site's; below, something must point there. */
export function isOfTheSite(
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
    mentions.some((name) => new RegExp(`["'/]${escapeRegexp(name)}["'/]`).test(text)),
  );
}

/** `file:line` of a mention of this node_modules in the settings. */
export function servesModules(
  tree: SourceTree,
  project: NodeProject,
  { directory }: PackageJson,
): string | undefined {
  const isNear = directory === '' || upward(project.root).includes(directory);
  const paths = isNear ? pythonTexts(tree, project).map(({ path }) => path) : [];
  return firstLine(tree, paths, /^[^#]*["'/]node_modules\b/);
}

/** Settings stand side by side; without Django, the files at the root say it. */
export function pythonTexts(tree: SourceTree, { root, settingsFile }: NodeProject) {
  const at = settingsFile?.lastIndexOf('/') ?? -1;
  const directory = settingsFile === undefined ? root : settingsFile.slice(0, Math.max(at, 0));
  return walkFiles(tree, directory, 1)
    .filter((path) => path.endsWith('.py'))
    .slice(0, 60)
    .map((path) => ({ path, text: tree.read(path) ?? '' }));
}

export function ignoredOutput(tree: SourceTree, { directory }: PackageJson): string | undefined {
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
