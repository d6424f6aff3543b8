// Directories that must be on the path beside the root of the app: what its own files put there, and
// those in which modules lie that it imports by their bare name.
import { dirname, join, normalize } from 'node:path/posix';
import type { Finding } from '../../domain/release.ts';
import { finding } from './evidence.ts';
import { importsOf, moduleFile } from './import-graph.ts';
import { logicalLines } from './python-source.ts';
import { hasFile, under, walkFiles, type SourceTree } from './source-tree.ts';

/** Names that people give to directories of modules. */
const CONTAINERS = [
  'apps',
  'src',
  'lib',
  'libs',
  'packages',
  'project',
  'app',
  'server',
  'backend',
];

export interface PythonPath {
  /** Relative to the top of the source, the root of the app first. */
  readonly directories: readonly string[];
  readonly findings: readonly Finding[];
}

export interface PythonPathRequest {
  readonly root: string;
  /** Files whose imports are to work: settings, entry, manage.py. */
  readonly files: readonly string[];
  /** Directories that a configuration file puts on the path. */
  readonly configured?: readonly string[];
  /** Modules of installed packages look like bare names too. */
  readonly dependencies: readonly string[];
}

export function detectPythonPath(tree: SourceTree, request: PythonPathRequest): PythonPath {
  const { root, files, configured = [] } = request;
  const found: { directory: string; why: string; evidence: string }[] = [];
  for (const one of [...files.flatMap((file) => inserted(tree, root, file))]) found.push(one);
  const known = [root, ...configured, ...found.map(({ directory }) => directory)];
  for (const file of files) {
    for (const { name, evidence } of bareNames(tree, known, file)) {
      if (moduleFile(tree, known, name) !== undefined || isDirectory(tree, known, name)) continue;
      if (request.dependencies.includes(name.toLowerCase().replaceAll('_', '-'))) continue;
      const holder = CONTAINERS.map((directory) => under(root, directory)).filter(
        (directory) =>
          moduleFile(tree, [directory], name) !== undefined || isDirectory(tree, [directory], name),
      );
      const [directory] = holder;
      if (directory === undefined || known.includes(directory)) continue;
      known.push(directory);
      found.push({ directory, why: `"${name}" is imported by its bare name`, evidence });
    }
  }
  const distinct = found.filter(
    ({ directory }, index) =>
      directory !== root && found.findIndex((one) => one.directory === directory) === index,
  );
  return {
    directories: [...new Set([root, ...configured, ...distinct.map((one) => one.directory)])],
    findings: distinct.map(({ directory, why, evidence }) =>
      finding('path', directory || '.', why, evidence),
    ),
  };
}

/** `sys.path.insert(0, os.path.join(BASE_DIR, "apps"))`: the texts in it, if they name a directory. */
function inserted(tree: SourceTree, root: string, file: string) {
  return logicalLines(tree.read(file) ?? '')
    .filter(({ code }) => /\bsys\.path\.(insert|append|extend)\(|^sys\.path\s*(\+?=|\[)/.test(code))
    .flatMap((line) => {
      const texts = [...line.text.matchAll(/["']([\w./-]+)["']/g)].map(([, text = '']) => text);
      const path = texts.filter((text) => !text.startsWith('/')).join('/');
      if (path === '') return [];
      return [root, dirname(file) === '.' ? '' : dirname(file)].flatMap((base) => {
        const directory = normalize(join(base === '' ? '.' : base, path)).replace(/\/$|^\.$/, '');
        if (directory.startsWith('..') || tree.list(directory).length === 0) return [];
        return [{ directory, why: 'put on the path', evidence: `${file}:${line.line}` }];
      });
    });
}

/** First parts of absolute imports, and of the apps that settings list. */
function bareNames(tree: SourceTree, roots: readonly string[], file: string) {
  const imported = importsOf(tree, roots, file)
    .filter(({ module, certain }) => certain && module !== '')
    .map(({ module, evidence }) => ({ name: module.split('.')[0] ?? '', evidence }));
  const listed = logicalLines(tree.read(file) ?? '')
    .filter(({ code }) => /^\w*APPS\s*(\+?=|:)/.test(code))
    .flatMap((line) =>
      [...line.text.matchAll(/["']([A-Za-z_]\w*)(?:\.[\w.]+)?["']/g)].map(([, name = '']) => ({
        name,
        evidence: `${file}:${line.line}`,
      })),
    );
  return [...imported, ...listed];
}

/** A package, or a directory of modules without `__init__.py`. */
function isDirectory(tree: SourceTree, roots: readonly string[], name: string): boolean {
  return roots.some((root) => {
    const directory = under(root, name);
    return (
      hasFile(tree, `${directory}/__init__.py`) ||
      walkFiles(tree, directory, 0).some((path) => path.endsWith('.py'))
    );
  });
}
