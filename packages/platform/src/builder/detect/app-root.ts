// Where the app lies: the directory of a manage.py that is truly Django's, else the top.
import { dirname } from 'node:path/posix';
import { TandemError } from '@tandem/protocol';
import { detected, finding, type Detected } from './evidence.ts';
import { findCode } from './python-source.ts';
import { walkFiles, type SourceTree } from './source-tree.ts';

const DEPTH_MAX = 3;
const DJANGO_MANAGEMENT =
  /\b(django\.core|configurations)(\.management\b| import .*\bmanagement\b)/;

export interface AppRoot {
  /** '' for the top of the source. */
  readonly directory: string;
  /** Set for a Django project. */
  readonly manageFile?: string;
}

export function detectAppRoot(tree: SourceTree, configured?: string): Detected<AppRoot> {
  if (configured !== undefined) return configuredRoot(tree, configured);
  const all = manageFiles(tree, '');
  const shallowest = all.filter((path) => depthOf(path) === depthOf(all[0] ?? ''));
  if (shallowest.length > 1) throw severalRoots(shallowest);
  const manageFile = shallowest[0];
  if (manageFile === undefined) {
    return detected({ directory: '' }, finding('root', '.', 'no manage.py of Django'));
  }
  const directory = directoryOf(manageFile);
  const why = 'holds the manage.py of Django';
  return detected({ directory, manageFile }, finding('root', directory || '.', why, manageFile));
}

function configuredRoot(tree: SourceTree, configured: string): Detected<AppRoot> {
  const directory = configured.replace(/^\.\/?|\/$/g, '');
  if (tree.list(directory).length === 0) {
    throw new TandemError('TANDEM_TOML_INVALID', `root "${configured}" is not a directory.`, {
      where: 'tandem.toml',
      hint: 'root = "DIRECTORY" is relative to the top of the source',
    });
  }
  const manageFile = manageFiles(tree, directory).find((path) => directoryOf(path) === directory);
  const value = { directory, ...(manageFile === undefined ? {} : { manageFile }) };
  return detected(value, finding('root', directory || '.', 'set in tandem.toml', 'tandem.toml'));
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
