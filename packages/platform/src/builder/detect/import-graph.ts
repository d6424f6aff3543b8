// The project's own files that an import of one of them brings along, nearest first.
import { dirname } from 'node:path/posix';
import { logicalLines } from './python-source.ts';
import { hasFile, under, type SourceTree } from './source-tree.ts';

const FILES_MAX = 300;

export interface ImportedModule {
  /** Dotted, absolute. */
  readonly module: string;
  /** Names after `from ... import`; empty for `import x`. */
  readonly names: readonly string[];
  /** `import x`, `from x import *`, `from . import x` (a sibling), `from x import name`. */
  readonly form: 'module' | 'star' | 'siblings' | 'names';
  readonly evidence: string;
  /** At the top of the file: not under `try`, `if` or in a function. */
  readonly certain: boolean;
}

/** `roots`: directories on the path, '' for the top. */
export function importGraph(
  tree: SourceTree,
  roots: readonly string[],
  start: readonly string[],
): string[] {
  const files: string[] = [];
  const pending = [...start];
  for (let file = pending.shift(); file !== undefined; file = pending.shift()) {
    if (files.includes(file) || files.length >= FILES_MAX) continue;
    files.push(file);
    for (const { module, names } of importsOf(tree, roots, file)) {
      const modules = [module, ...names.map((name) => `${module}.${name}`)];
      pending.push(...modules.flatMap((one) => moduleFile(tree, roots, one) ?? []));
    }
  }
  return files;
}

export function importsOf(
  tree: SourceTree,
  roots: readonly string[],
  file: string,
): ImportedModule[] {
  return logicalLines(tree.read(file) ?? '').flatMap((line): ImportedModule[] => {
    const evidence = `${file}:${line.line}`;
    const certain = line.indent === 0;
    const from = /^from\s+(\.*)([\w.]*)\s+import\s+\(?(.*?)\)?$/.exec(line.code);
    if (from !== null) {
      const [, dots = '', name = '', list = ''] = from;
      const module = dots === '' ? name : relative(roots, file, dots.length, name);
      const names = list.split(',').map((one) => one.trim().split(/\s/)[0] ?? '');
      const isSibling = dots !== '' && name === '';
      const form = list.trim() === '*' ? 'star' : isSibling ? 'siblings' : 'names';
      return [{ module, names: names.filter((one) => /^\w+$/.test(one)), form, evidence, certain }];
    }
    const [, list] = /^import\s+(.+)$/.exec(line.code) ?? [];
    return (list ?? '').split(',').flatMap((one) => {
      const module = one.trim().split(/\s/)[0] ?? '';
      return /^[\w.]+$/.test(module)
        ? [{ module, names: [], form: 'module', evidence, certain }]
        : [];
    });
  });
}

/** File of a module of the project; a package is its `__init__.py`. */
export function moduleFile(
  tree: SourceTree,
  roots: readonly string[],
  module: string,
): string | undefined {
  if (module === '') return undefined;
  for (const root of roots) {
    const path = under(root, module.replaceAll('.', '/'));
    const found = [`${path}.py`, `${path}/__init__.py`].find((file) => hasFile(tree, file));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The other way round: `shop/settings/__init__.py` below '' is `shop.settings`. */
export function moduleName(file: string, root: string): string {
  const inside = root === '' ? file : file.slice(root.length + 1);
  return inside.replace(/(\/__init__)?\.py$/, '').replaceAll('/', '.');
}

/** The name, where the file lies below that directory. */
export function moduleBelow(file: string, root: string): string | undefined {
  return root === '' || file.startsWith(`${root}/`) ? moduleName(file, root) : undefined;
}

function relative(roots: readonly string[], file: string, dots: number, name: string): string {
  const root = roots.find((one) => one === '' || file.startsWith(`${one}/`)) ?? '';
  let directory = dirname(file);
  for (let up = 1; up < dots; up += 1) directory = dirname(directory);
  const inside = root === '' ? directory : directory.slice(root.length + 1);
  const parent = inside === '.' ? '' : inside.replaceAll('/', '.');
  return [parent, name].filter((part) => part !== '').join('.');
}
