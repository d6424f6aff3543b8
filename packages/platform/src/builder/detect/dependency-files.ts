// Which file says what to install: the nearest directory upward from the app; there a lock before
// pyproject.toml before requirements. Production names only, never development ones.
import { TandemError } from '@tandem/protocol';
import { detected, finding, type Detected } from './evidence.ts';
import { normalizeName, readRequirements, requirementName } from './requirements-file.ts';
import { hasFile, under, walkFiles, type SourceTree } from './source-tree.ts';
import { developmentNames } from './development-names.ts';
import { isTable, parsePyproject, parseToml } from './tandem-toml.ts';

export interface DependencySource {
  readonly kind: 'uv-lock' | 'poetry-lock' | 'pyproject' | 'requirements' | 'none';
  /** Directory of the file; '' for the top. */
  readonly directory: string;
  /** Files whose text decides what is installed. */
  readonly files: readonly string[];
  /** Normalised names asked for directly (or locked), to guess before anything is resolved. */
  readonly names: readonly string[];
  /** The project itself must be installed: src layout with a build system. */
  readonly installProject: boolean;
  /** Paths of the source are installed, so its contents decide too. */
  readonly namesPaths: boolean;
  /** Normalised names that only development groups or files ask for. */
  readonly developmentOnly: readonly string[];
}

const REQUIREMENTS = [
  'requirements.txt',
  'requirements/production.txt',
  'requirements/prod.txt',
  'requirements-production.txt',
  'requirements-prod.txt',
  'production-requirements.txt',
  'requirements/requirements.txt',
  'requirements/base.txt',
];
const NONE: DependencySource = {
  kind: 'none',
  directory: '',
  files: [],
  names: [],
  installProject: false,
  namesPaths: false,
  developmentOnly: [],
};

export function detectDependencyFiles(
  tree: SourceTree,
  root: string,
  configured?: string,
  setIn = 'tandem.toml',
): Detected<DependencySource> {
  if (configured !== undefined) {
    return explained(requirements(tree, configured), `set in ${setIn}`);
  }
  for (const directory of upward(root)) {
    const source =
      lockIn(tree, directory) ?? pyprojectIn(tree, directory) ?? requirementsIn(tree, directory);
    if (source !== undefined) {
      return explained(withDevelopmentNames(tree, source), 'nearest to the app');
    }
  }
  return detected(NONE, finding('dependencies', 'none', 'no lock, pyproject or requirements file'));
}

function explained(source: DependencySource, why: string): Detected<DependencySource> {
  const file = source.files[0] ?? '';
  return detected(source, finding('dependencies', file, why, file));
}

/** For the message when a module is missing: it may be there, but for developers only. */
function withDevelopmentNames(tree: SourceTree, source: DependencySource): DependencySource {
  const names = developmentNames(tree, source.directory);
  return { ...source, developmentOnly: names.filter((name) => !source.names.includes(name)) };
}

function upward(root: string): string[] {
  const parts = root === '' ? [] : root.split('/');
  return parts.map((_, index) => parts.slice(0, parts.length - index).join('/')).concat('');
}

function lockIn(tree: SourceTree, directory: string): DependencySource | undefined {
  const pyproject = under(directory, 'pyproject.toml');
  for (const [kind, name] of [
    ['uv-lock', 'uv.lock'],
    ['poetry-lock', 'poetry.lock'],
  ] as const) {
    const path = under(directory, name);
    const text = tree.read(path);
    if (text === undefined || !hasFile(tree, pyproject)) continue;
    const installProject = kind === 'uv-lock' && needsInstall(tree, directory);
    return {
      ...NONE,
      kind,
      directory,
      files: [path, pyproject],
      names: lockedNames(text, path),
      installProject,
      namesPaths: installProject,
    };
  }
  return undefined;
}

function lockedNames(text: string, path: string): string[] {
  const packages = parseToml(text, path, 'REQUIREMENTS_INVALID')['package'];
  if (!Array.isArray(packages)) return [];
  return packages.flatMap((one: unknown) =>
    isTable(one) && typeof one['name'] === 'string' ? [normalizeName(one['name'])] : [],
  );
}

/** Only one that lists dependencies: many a pyproject.toml only configures a formatter. */
function pyprojectIn(tree: SourceTree, directory: string): DependencySource | undefined {
  const path = under(directory, 'pyproject.toml');
  const text = tree.read(path);
  if (text === undefined) return undefined;
  const names = declaredNames(parsePyproject(text, path));
  if (names === undefined) return undefined;
  if (names.length === 0 && requirementsIn(tree, directory) !== undefined) return undefined;
  const installProject = needsInstall(tree, directory);
  return {
    ...NONE,
    kind: 'pyproject',
    directory,
    files: [path],
    names,
    installProject,
    namesPaths: installProject,
  };
}

function declaredNames(pyproject: Record<string, unknown>): string[] | undefined {
  const { project, tool } = pyproject;
  if (isTable(project)) {
    const dependencies = project['dependencies'] ?? [];
    if (!Array.isArray(dependencies)) throw invalidDependencies();
    return dependencies.flatMap((text: unknown) => {
      if (typeof text !== 'string') throw invalidDependencies();
      return requirementName(text) ?? [];
    });
  }
  const poetry = isTable(tool) && isTable(tool['poetry']) ? tool['poetry'] : undefined;
  if (!isTable(poetry?.['dependencies'])) return undefined;
  return Object.keys(poetry['dependencies'])
    .filter((name) => name !== 'python')
    .map(normalizeName);
}

function invalidDependencies(): TandemError {
  const message = 'pyproject.toml: project.dependencies is not a list of strings.';
  return new TandemError('PYPROJECT_INVALID', message, {
    where: 'pyproject.toml',
    hint: 'dependencies = ["django>=5", "gunicorn"]',
  });
}

function needsInstall(tree: SourceTree, directory: string): boolean {
  const path = under(directory, 'pyproject.toml');
  const text = tree.read(path);
  if (text === undefined) return false;
  const buildSystem = parsePyproject(text, path)['build-system'];
  const source = under(directory, 'src');
  const packages = walkFiles(tree, source, 1).some((file) => file.endsWith('/__init__.py'));
  return buildSystem !== undefined && packages;
}

function requirementsIn(tree: SourceTree, directory: string): DependencySource | undefined {
  const path = REQUIREMENTS.map((name) => under(directory, name)).find((one) => hasFile(tree, one));
  return path === undefined ? undefined : requirements(tree, path);
}

function requirements(tree: SourceTree, path: string): DependencySource {
  const read = readRequirements(tree, path);
  const names = read.lines.flatMap((line) => line.name ?? []);
  const directory = path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '';
  return {
    ...NONE,
    kind: 'requirements',
    directory,
    files: read.files,
    names,
    namesPaths: read.namesPaths,
  };
}
