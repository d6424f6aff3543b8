// What a project's .gitignore keeps out of its source: what is named there and is not there is made by
// somebody. Pure.
import { dirname } from 'node:path/posix';
import { hasFile, under, walkFiles, type SourceTree } from '../detect/source-tree.ts';
import { upward } from './package-manager.ts';

export interface IgnoredPath {
  /** Of the source; of a bare name only that. */
  readonly path: string;
  /** A bare name: ignored wherever it lies. */
  readonly isAnywhere: boolean;
  readonly evidence: string;
}

/** Made by others than front-end builds. */
const FOREIGN = new Set(['node_modules', 'bower_components', 'venv', 'env', '__pycache__']);
const DEPTH_MAX = 4;

/** In the lists of `directory` and above it. Patterns that are no path are left out. */
export function ignoredPaths(tree: SourceTree, directory: string): IgnoredPath[] {
  return upward(directory).flatMap((place) => {
    const file = under(place, '.gitignore');
    const lines = (tree.read(file) ?? '').split(/\r?\n/);
    return lines.flatMap((line, index) => {
      const pattern = line.trim().replace(/\/\*{1,2}$/, '');
      if (!/^\/?[\w.@-]+(\/[\w.@-]+)*\/?$/.test(pattern)) return [];
      const path = pattern.replace(/^\/|\/$/g, '');
      const isAnywhere = !/\/./.test(pattern);
      if (FOREIGN.has(path.split('/').at(-1) ?? '')) return [];
      const whole = isAnywhere ? path : under(place, path);
      return [{ path: whole, isAnywhere, evidence: `${file}:${index + 1}` }];
    });
  });
}

/** Those that did not come with the source. */
export function missingIgnored(tree: SourceTree, directory: string): IgnoredPath[] {
  const all = ignoredPaths(tree, directory);
  const files = all.length === 0 ? [] : walkFiles(tree, '', DEPTH_MAX);
  return all.filter(({ path, isAnywhere }) =>
    isAnywhere
      ? !files.some((file) => `/${file}/`.includes(`/${path}/`))
      : !hasFile(tree, path) && !files.some((file) => file.startsWith(`${path}/`)),
  );
}

export function isIgnored(all: readonly IgnoredPath[], path: string): IgnoredPath | undefined {
  return all.find((one) =>
    one.isAnywhere
      ? `/${path}/`.includes(`/${one.path}/`)
      : path === one.path || path.startsWith(`${one.path}/`),
  );
}

/** Directory of a path, '' for the top. */
export function parentOf(path: string): string {
  const parent = dirname(path);
  return parent === '.' ? '' : parent;
}
