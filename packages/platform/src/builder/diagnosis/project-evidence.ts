// What a diagnosis may know of a project beside its log: its own modules, what git keeps back, what
// is installed. Read before the project's code ran, because that may change its files.
import type { DiagnosisInput } from '../../domain/diagnosis/diagnose.ts';
import type { Detection } from '../detect/detect.ts';
import { under, walkFiles, type SourceTree } from '../detect/source-tree.ts';
import type { Lock } from '../steps/lock.ts';

const DEPTH_MAX = 3;
const NAMES_MAX = 2_000;
const TEMPLATE = /^(.*[^/._-])[._-](?:example|sample|template|tmpl|dist)(\.\w+)?$/;

export type ProjectEvidence = Pick<
  DiagnosisInput,
  | 'pythonVersion'
  | 'developmentOnly'
  | 'installed'
  | 'ownModules'
  | 'ignoredFiles'
  | 'emptySubmodules'
  | 'templates'
>;

export function projectEvidence(
  tree: SourceTree,
  detection: Detection,
  lock: Lock | undefined,
): ProjectEvidence {
  const { root } = detection;
  const packages = lock?.packages ?? [];
  return {
    pythonVersion: detection.pythonVersion,
    developmentOnly: detection.dependencies.developmentOnly,
    installed: Object.fromEntries(packages.map(({ name, version }) => [name, version])),
    ownModules: ownModules(tree, root),
    ignoredFiles: ignoredFiles(tree, root),
    emptySubmodules: emptySubmodules(tree),
    templates: templates(tree),
  };
}

/** Paths that are not there -> the template beside each; relative to the top of the source. */
export function templates(tree: SourceTree): Record<string, string> {
  const files = new Set(walkFiles(tree, '', DEPTH_MAX));
  const found = [...files].flatMap((path) => {
    const [, stem, extension = ''] = TEMPLATE.exec(path) ?? [];
    const copy = stem === undefined ? path : `${stem}${extension}`;
    return files.has(copy) ? [] : [[copy, path] as const];
  });
  return Object.fromEntries(found.slice(0, NAMES_MAX));
}

/** Modules and packages by name; of two the one nearer to the root. */
export function ownModules(tree: SourceTree, root: string): Record<string, string> {
  const modules = new Map<string, string>();
  for (const path of walkFiles(tree, root, DEPTH_MAX)) {
    if (!path.endsWith('.py') || modules.size >= NAMES_MAX) continue;
    const parts = path.slice(root === '' ? 0 : root.length + 1).split('/');
    const file = parts.pop() ?? '';
    const isPackage = file === '__init__.py';
    const name = isPackage ? parts.pop() : file.slice(0, -'.py'.length);
    if (name !== undefined && !modules.has(name)) modules.set(name, parts.join('/'));
  }
  return Object.fromEntries(modules);
}

/** Lines of .gitignore that name one Python file, relative to the root or anywhere. */
export function ignoredFiles(tree: SourceTree, root: string): string[] {
  const files = [...new Set(['.gitignore', under(root, '.gitignore')])];
  return files
    .flatMap((file) => (tree.read(file) ?? '').split('\n'))
    .map((line) => line.trim().replace(/^\//, ''))
    .filter((line) => /^[\w./-]+\.py$/.test(line))
    .map((line) =>
      root !== '' && line.startsWith(`${root}/`) ? line.slice(root.length + 1) : line,
    );
}

/** Paths of .gitmodules below which the source holds nothing. */
export function emptySubmodules(tree: SourceTree): string[] {
  const paths = [...(tree.read('.gitmodules') ?? '').matchAll(/^\s*path\s*=\s*(\S+)\s*$/gm)];
  return paths.map(([, path = '']) => path).filter((path) => walkFiles(tree, path, 1).length === 0);
}
