// Lock files. One counts only while it fits what it was made from: of several the one that does, and
// one that is out of date only lends its versions.
import { normalizeName } from '../requirements-file.ts';
import { under, type SourceTree } from '../source-tree.ts';
import { parsePyproject } from '../tandem-toml.ts';
import type { Candidate, DependencyKind } from './dependency-source.ts';
import {
  disagreement,
  lockedSource,
  lockOf,
  namesPaths,
  outOfDate,
  ownName,
  pinnedLines,
  type FoundLock,
} from './found-lock.ts';
import { parsePipfileLock, pipfileIn } from './pipfile.ts';
import { classify, isForProduction, rank } from './production-names.ts';
import { tableIn } from './pyproject-requirements.ts';
import { pyprojectIn } from './pyproject-source.ts';
import { workspaceLockIn } from './workspace-lock.ts';

export function lockIn(
  tree: SourceTree,
  directory: string,
  wished: readonly string[],
): Candidate | undefined {
  const project = { tree, directory, wished };
  const found = [
    ...projectLock(project, 'uv-lock', 'uv.lock'),
    ...projectLock(project, 'poetry-lock', 'poetry.lock'),
    ...projectLock(project, 'pdm-lock', 'pdm.lock'),
    ...pylock(project),
    ...pipfileLock(tree, directory),
  ];
  const fitting = found.filter((lock) => disagreement(lock) === undefined);
  const preferred = byTool(tree, directory);
  const best = fitting.find(({ kind }) => kind === preferred) ?? fitting[0];
  if (best !== undefined) {
    const others = found.filter((lock) => lock !== best).map(({ path }) => path);
    const source = lockedSource(best, directory);
    return others.length === 0
      ? { source }
      : { source, why: `fits ${best.originPath}; not used: ${others.join(', ')}` };
  }
  const [stale] = found;
  return stale === undefined ? workspaceLockIn(tree, directory, wished) : outOfDate(stale);
}

interface Project {
  readonly tree: SourceTree;
  readonly directory: string;
  readonly wished: readonly string[];
}

/** One that belongs to the pyproject.toml beside it. */
function projectLock(
  { tree, directory, wished }: Project,
  kind: 'uv-lock' | 'poetry-lock' | 'pdm-lock',
  name: string,
): FoundLock[] {
  const path = under(directory, name);
  const text = tree.read(path);
  const originPath = under(directory, 'pyproject.toml');
  const origin = text === undefined ? undefined : pyprojectIn(tree, directory, wished);
  if (text === undefined || origin === undefined) return [];
  const pyproject = tree.read(originPath) ?? '';
  return [{ ...lockOf(kind, path, text, ownName(pyproject, originPath)), origin, originPath }];
}

/** One that says all there is to say, with or without a project beside it. */
function pylock({ tree, directory, wished }: Project): FoundLock[] {
  const named = tree.list(directory).flatMap(({ name }) => {
    const purpose = /^pylock(?:\.([^.]+))?\.toml$/.exec(name);
    return purpose === null ? [] : [{ name, purpose: purpose[1] ?? '' }];
  });
  const isForServers = ({ purpose }: { readonly purpose: string }): boolean =>
    purpose === '' || classify(purpose) !== 'development';
  const order = (purpose: string): number => (isForProduction(purpose) ? -1 : rank(purpose));
  const [best] = named
    .filter(isForServers)
    .toSorted((one, other) => order(one.purpose) - order(other.purpose));
  const path = under(directory, best?.name ?? '');
  const text = best === undefined ? undefined : tree.read(path);
  if (text === undefined) return [];
  const originPath = under(directory, 'pyproject.toml');
  const own = ownName(tree.read(originPath) ?? '', originPath);
  return [
    {
      ...lockOf('pylock', path, text, own),
      origin: pyprojectIn(tree, directory, wished),
      originPath,
    },
  ];
}

function pipfileLock(tree: SourceTree, directory: string): FoundLock[] {
  const path = under(directory, 'Pipfile.lock');
  const text = tree.read(path);
  const origin = pipfileIn(tree, directory);
  if (text === undefined || origin === undefined) return [];
  const entries = Object.entries(parsePipfileLock(text, path));
  const pins = entries.map(
    ([name, { version }]) => [normalizeName(name), (version ?? '').replace(/^==/, '')] as const,
  );
  const pinned = new Map(pins);
  const originPath = under(directory, 'Pipfile');
  const lines = pinnedLines(text, path, pinned);
  const kind = 'pipfile-lock';
  return [{ kind, path, lines, origin, originPath, pinned, namesPaths: namesPaths(kind, text) }];
}

/** The lock of the tool that the project says it uses. */
function byTool(tree: SourceTree, directory: string): DependencyKind {
  const path = under(directory, 'pyproject.toml');
  const pyproject = parsePyproject(tree.read(path) ?? '', path);
  const tool = tableIn(pyproject, 'tool');
  const backend = String(tableIn(pyproject, 'build-system')?.['build-backend']);
  const uses = (name: string): boolean =>
    tableIn(tool, name) !== undefined || backend.startsWith(name);
  if (uses('poetry')) return 'poetry-lock';
  return uses('pdm') && !uses('uv') ? 'pdm-lock' : 'uv-lock';
}
