// Where the app lies: the directory of a manage.py that is truly Django's; else the top, or the one
// directory below it that holds both dependency files and code.
import { dirname } from 'node:path/posix';
import { TandemError } from '@tandem/protocol';
import { detected, finding, type Detected } from './evidence.ts';
import { findCode } from './python-source.ts';
import { under, walkFiles, type SourceTree } from './source-tree.ts';

const DEPTH_MAX = 3;
/** Where several directories could be the app, the one that is called so. */
const SERVER_NAMES = ['backend', 'server', 'api', 'app', 'web', 'src'];
const DEPENDENCY_FILE =
  /^([\w-]*requirements[\w-]*\.(txt|in)|requirements|pyproject\.toml|Pipfile|setup\.py|Procfile)$/;
const DJANGO_MANAGEMENT =
  /\b(django\.core|configurations)(\.management\b| import .*\bmanagement\b)/;

export interface AppRoot {
  /** '' for the top of the source. */
  readonly directory: string;
  /** Set for a Django project. */
  readonly manageFile?: string;
}

/** `setIn` says where `configured` stands. */
export function detectAppRoot(
  tree: SourceTree,
  configured?: string,
  setIn = 'tandem.toml',
): Detected<AppRoot> {
  if (configured !== undefined) return configuredRoot(tree, configured, setIn);
  const all = manageFiles(tree, '');
  const shallowest = all.filter((path) => depthOf(path) === depthOf(all[0] ?? ''));
  if (shallowest.length > 1) throw severalRoots(shallowest);
  const manageFile = shallowest[0];
  if (manageFile === undefined) return rootWithoutDjango(tree);
  const directory = directoryOf(manageFile);
  const why = 'holds the manage.py of Django';
  return detected({ directory, manageFile }, finding('root', directory || '.', why, manageFile));
}

function rootWithoutDjango(tree: SourceTree): Detected<AppRoot> {
  const top = detected({ directory: '' }, finding('root', '.', 'no manage.py of Django'));
  if (holdsProject(tree, '') || tree.list('').some(({ name }) => name.endsWith('.py'))) return top;
  const below = directoriesBelow(tree, '').filter((directory) => holdsProject(tree, directory));
  const withCode = below.filter((directory) =>
    walkFiles(tree, directory, 2).some((path) => path.endsWith('.py')),
  );
  const directory = SERVER_NAMES.map((name) =>
    withCode.find((one) => one === name || one.endsWith(`/${name}`)),
  )
    .concat(withCode)
    .find((one) => one !== undefined);
  if (directory === undefined) return top;
  const evidence = dependencyFile(tree, directory);
  const why = 'the only directory with code and dependency files';
  const also = withCode.filter((one) => one !== directory);
  const chosen = also.length === 0 ? why : `by its name; also there: ${also.join(', ')}`;
  return detected({ directory }, finding('root', directory, chosen, evidence));
}

function directoriesBelow(tree: SourceTree, directory: string): string[] {
  const names = (at: string): string[] =>
    tree
      .list(at)
      .filter(({ name, kind }) => kind === 'directory' && !name.startsWith('.'))
      .filter(({ name }) => !/^(node_modules|venv|env|docs?|tests?|examples?)$/.test(name))
      .map(({ name }) => under(at, name));
  const first = names(directory);
  return [...first, ...first.flatMap(names)];
}

function holdsProject(tree: SourceTree, directory: string): boolean {
  return dependencyFile(tree, directory) !== undefined;
}

function dependencyFile(tree: SourceTree, directory: string): string | undefined {
  const found = tree.list(directory).find(({ name }) => DEPENDENCY_FILE.test(name));
  return found && under(directory, found.name);
}

function configuredRoot(tree: SourceTree, configured: string, setIn: string): Detected<AppRoot> {
  const directory = configured.replace(/^\.\/?|\/$/g, '');
  if (tree.list(directory).length === 0) {
    throw new TandemError('TANDEM_TOML_INVALID', `root "${configured}" is not a directory.`, {
      where: 'tandem.toml',
      hint: 'root = "DIRECTORY" is relative to the top of the source',
    });
  }
  const manageFile = manageFileIn(tree, directory);
  const value = { directory, ...(manageFile === undefined ? {} : { manageFile }) };
  return detected(value, finding('root', directory || '.', `set in ${setIn}`, setIn));
}

/** The manage.py of Django that lies right in this directory. */
export function manageFileIn(tree: SourceTree, directory: string): string | undefined {
  return manageFiles(tree, directory).find((path) => directoryOf(path) === directory);
}

function manageFiles(tree: SourceTree, directory: string): string[] {
  return walkFiles(tree, directory, DEPTH_MAX)
    .filter((path) => path === 'manage.py' || path.endsWith('/manage.py'))
    .filter((path) => findCode(tree.read(path), DJANGO_MANAGEMENT) !== undefined);
}

function directoryOf(path: string): string {
  const directory = dirname(path);
  return directory === '.' ? '' : directory;
}

function depthOf(path: string): number {
  return path.split('/').length;
}

function severalRoots(paths: readonly string[]): TandemError {
  const first = directoryOf(paths[0] ?? '');
  return new TandemError('NO_APP_DETECTED', `Several Django projects: ${paths.join(', ')}.`, {
    where: paths.join(', '),
    hint: `say which one in tandem.toml: root = "${first}"`,
  });
}
