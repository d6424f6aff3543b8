// Which interpreter: a version somebody wrote down, else the default.
import { TandemError } from '@tandem/protocol';
import { detected, finding, type Detected } from './evidence.ts';
import { isTable, parsePyproject } from './tandem-toml.ts';
import { under, type SourceTree } from './source-tree.ts';
import { compareVersions, parseVersion, satisfies } from './version-specifier.ts';

const DEFAULT_MINOR = '3.12';

export interface PythonRequest {
  /** Looked through in order: directory of the dependency files, of the app, the top. */
  readonly directories: readonly string[];
  /** Full versions on offer, for example `3.12.1`. */
  readonly available: readonly string[];
  readonly configured?: string;
}

interface Wish {
  readonly specifier: string;
  readonly evidence: string;
  /** An exact version rather than a range. */
  readonly exact: boolean;
}

export function detectPythonVersion(tree: SourceTree, request: PythonRequest): Detected<string> {
  const wishes = request.configured
    ? [
        {
          specifier: request.configured,
          evidence: 'tandem.toml',
          exact: /^\d/.test(request.configured),
        },
      ]
    : wishesOf(tree, request.directories);
  const range = wishes.find((wish) => !wish.exact);
  const exact = wishes.find((wish) => wish.exact);
  const fitting = request.available.filter((version) => fits(version, range));
  const pinned = exact && newest(fitting.filter((version) => fits(version, exact)));
  if (pinned !== undefined && exact !== undefined) {
    return detected(
      pinned,
      finding('python', pinned, `asks for ${exact.specifier}`, exact.evidence),
    );
  }
  if (exact !== undefined && range === undefined) throw unavailable(exact, request.available);
  if (range !== undefined && fitting.length === 0) throw unavailable(range, request.available);
  const chosen = preferred(fitting);
  if (chosen === undefined) throw unavailable(undefined, request.available);
  return detected(chosen, explain(chosen, range, exact));
}

function explain(chosen: string, range: Wish | undefined, exact: Wish | undefined) {
  if (range === undefined) return finding('python', chosen, 'the project names no version');
  const contradicted = exact ? `; ${exact.evidence} asks for ${exact.specifier}` : '';
  return finding('python', chosen, `fits ${range.specifier}${contradicted}`, range.evidence);
}

function wishesOf(tree: SourceTree, directories: readonly string[]): Wish[] {
  const unique = [...new Set(directories)];
  return [
    ...unique.flatMap((directory) => pyprojectWish(tree, under(directory, 'pyproject.toml'))),
    ...unique.flatMap((directory) => fileWish(tree, under(directory, '.python-version'))),
    ...unique.flatMap((directory) => fileWish(tree, under(directory, 'runtime.txt'))),
  ];
}

function pyprojectWish(tree: SourceTree, evidence: string): Wish[] {
  const text = tree.read(evidence);
  if (text === undefined) return [];
  const { project, tool } = parsePyproject(text, evidence);
  const poetry =
    isTable(tool) && isTable(tool['poetry']) ? tool['poetry']['dependencies'] : undefined;
  const specifier =
    (isTable(project) ? project['requires-python'] : undefined) ??
    (isTable(poetry) ? poetry['python'] : undefined);
  return typeof specifier === 'string' ? [{ specifier, evidence, exact: false }] : [];
}

function fileWish(tree: SourceTree, evidence: string): Wish[] {
  const version = /(?:^|\n)\s*(?:c?python-)?(\d+(?:\.\d+)*)/i.exec(tree.read(evidence) ?? '')?.[1];
  return version === undefined ? [] : [{ specifier: version, evidence, exact: true }];
}

/** An exact patch release is met by any patch of the same minor version. */
function fits(version: string, wish: Wish | undefined): boolean {
  if (wish === undefined) return true;
  if (!wish.exact) return satisfies(version, wish.specifier);
  return satisfies(version, wish.specifier.split('.').slice(0, 2).join('.'));
}

function newest(versions: readonly string[]): string | undefined {
  return versions.toSorted((one, other) =>
    compareVersions(parseVersion(other), parseVersion(one)),
  )[0];
}

/** What a project that names no version gets. */
export function preferred(versions: readonly string[]): string | undefined {
  return (
    newest(versions.filter((version) => satisfies(version, DEFAULT_MINOR))) ?? newest(versions)
  );
}

function unavailable(wish: Wish | undefined, available: readonly string[]): TandemError {
  const message = wish
    ? `The project asks for Python ${wish.specifier}; none available fits.`
    : 'No Python interpreter is available.';
  return new TandemError('PYTHON_UNAVAILABLE', message, {
    where: wish?.evidence,
    hint: `available: ${available.join(', ') || 'none'}\nchoose one in tandem.toml: python = "3.12"`,
  });
}
