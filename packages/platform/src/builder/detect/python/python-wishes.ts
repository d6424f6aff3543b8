// Where a project says which Python it wants, in the order in which it is believed.
import { findCode } from '../python-source.ts';
import { hasFile, under, walkFiles, type SourceTree } from '../source-tree.ts';
import { readIni } from '../dependencies/ini-file.ts';
import { tableIn } from '../dependencies/pyproject-requirements.ts';
import { parsePyproject, parseToml } from '../tandem-toml.ts';
import { dockerfileWishes } from './dockerfile-python.ts';

export interface PythonWish {
  /** `3.9`, `3.9.1`; of a range `>=3.8,<4`. */
  readonly specifier: string;
  readonly evidence: string;
  /** One version rather than a range. */
  readonly exact: boolean;
}

/** Directories are looked through in order for each kind of file. */
export function pythonRanges(tree: SourceTree, directories: readonly string[]): PythonWish[] {
  return [
    ...directories.flatMap((directory) => pyprojectWish(tree, directory)),
    ...directories.flatMap((directory) => setupWish(tree, directory)),
  ];
}

export function exactPythons(
  tree: SourceTree,
  directories: readonly string[],
  requirementFiles: readonly string[],
): PythonWish[] {
  const within = (name: string, pattern: RegExp): PythonWish[] =>
    directories.flatMap((directory) => firstMatch(tree, under(directory, name), pattern));
  return [
    ...within('.python-version', /^\s*(?:c?python-)?v?(\d+(?:\.\d+)*)/i),
    ...within('runtime.txt', /^\s*(?:c?python-)?(\d+(?:\.\d+)*)/i),
    ...within('.tool-versions', /^\s*python\s+(\d+(?:\.\d+)*)/),
    ...within('mise.toml', /^\s*python\s*=\s*["'](\d+(?:\.\d+)*)/),
    ...dockerfileWishes(tree),
    ...requirementFiles.flatMap((path) => firstMatch(tree, path, COMPILED_WITH)),
    ...directories.flatMap((directory) => pipfileWish(tree, directory)),
    ...within('environment.yml', /^\s*-\s*["']?python\s*=+\s*(\d+\.\d+(?:\.\d+)*)/),
  ];
}

/** In the header of pip-compile, or in the command that uv writes there. */
const COMPILED_WITH = /^#.*(?:pip-compile with python |--python-version[= ])(\d+\.\d+)/i;

/** Minor versions: 9 for 3.9. */
export function classifiedMinors(tree: SourceTree, directories: readonly string[]) {
  const files = ['pyproject.toml', 'setup.py', 'setup.cfg'];
  const paths = directories.flatMap((directory) => files.map((name) => under(directory, name)));
  for (const path of paths.filter((one) => hasFile(tree, one))) {
    const found = [
      ...(tree.read(path) ?? '').matchAll(/Programming Language :: Python :: 3\.(\d+)/g),
    ];
    const minors = found.map(([, minor]) => Number(minor));
    if (minors.length > 0) return { minors, evidence: path };
  }
  return undefined;
}

function pyprojectWish(tree: SourceTree, directory: string): PythonWish[] {
  const evidence = under(directory, 'pyproject.toml');
  const text = tree.read(evidence);
  if (text === undefined) return [];
  const pyproject = parsePyproject(text, evidence);
  const poetry = tableIn(tableIn(pyproject, 'tool'), 'poetry');
  const specifier =
    tableIn(pyproject, 'project')?.['requires-python'] ??
    tableIn(poetry, 'dependencies')?.['python'];
  return typeof specifier === 'string' ? [{ specifier, evidence, exact: false }] : [];
}

function setupWish(tree: SourceTree, directory: string): PythonWish[] {
  const script = under(directory, 'setup.py');
  const [, , specifier] = /python_requires\s*=\s*(["'])(.+?)\1/.exec(tree.read(script) ?? '') ?? [];
  if (specifier !== undefined) return [{ specifier, evidence: script, exact: false }];
  const configuration = under(directory, 'setup.cfg');
  const configured = readIni(tree.read(configuration) ?? '')['options']?.['python_requires'];
  if (configured === undefined) return [];
  return [{ specifier: configured, evidence: configuration, exact: false }];
}

function pipfileWish(tree: SourceTree, directory: string): PythonWish[] {
  const evidence = under(directory, 'Pipfile');
  const text = tree.read(evidence);
  if (text === undefined) return [];
  const required = tableIn(parseToml(text, evidence, 'REQUIREMENTS_INVALID'), 'requires');
  const version = required?.['python_full_version'] ?? required?.['python_version'];
  const isVersion = typeof version === 'string' && /^\d+\.\d+/.test(version);
  return isVersion ? [{ specifier: version, evidence, exact: true }] : [];
}

function firstMatch(tree: SourceTree, path: string, pattern: RegExp): PythonWish[] {
  const lines = (tree.read(path) ?? '').split('\n');
  for (const [index, line] of lines.entries()) {
    const specifier = pattern.exec(line)?.[1];
    if (specifier === undefined) continue;
    const evidence = lines.length <= 2 ? path : `${path}:${index + 1}`;
    return [{ specifier, evidence, exact: true }];
  }
  return [];
}

/** The first line with syntax that Python 3 refuses. */
export function python2Line(tree: SourceTree): string | undefined {
  const files = walkFiles(tree, '', PYTHON2_DEPTH_MAX).filter((path) => path.endsWith('.py'));
  for (const path of files.slice(0, PYTHON2_FILES_MAX)) {
    const found = findCode(tree.read(path), PYTHON2);
    if (found !== undefined) return `${path}:${found.line}`;
  }
  return undefined;
}

const PYTHON2_DEPTH_MAX = 4;
const PYTHON2_FILES_MAX = 500;
const PYTHON2 =
  /^(print\s+["'\w]|except\s+[\w.]+\s*,\s*\w+\s*:|raise\s+\w+\s*,\s*["']|exec\s+["'])/;
