// A workspace of uv: several projects with one lock above them.
import { under, type SourceTree } from '../source-tree.ts';
import { directoryOf, type Candidate } from './dependency-source.ts';
import { disagreement, lockedSource, lockOf, outOfDate, ownName } from './found-lock.ts';
import { pyprojectIn } from './pyproject-source.ts';

/** For the project in `directory`, when it is a member of a workspace further up. */
export function workspaceLockIn(
  tree: SourceTree,
  directory: string,
  wished: readonly string[],
): Candidate | undefined {
  const origin = directory === '' ? undefined : pyprojectIn(tree, directory, wished);
  if (origin === undefined) return undefined;
  const originPath = under(directory, 'pyproject.toml');
  const name = ownName(tree.read(originPath) ?? '', originPath);
  for (let at = directoryOf(directory), last = directory; last !== ''; at = directoryOf(at)) {
    last = at;
    const path = under(at, 'uv.lock');
    const text = tree.read(path);
    const relative = directory.slice(at === '' ? 0 : at.length + 1);
    if (text === undefined || !holdsMember(text, relative)) continue;
    const lock = { ...lockOf('uv-lock', path, text, name), origin, originPath };
    const wrong = disagreement(lock);
    if (wrong !== undefined) return outOfDate(lock);
    const source = { ...lockedSource(lock, at), member: { name, directory } };
    return { source, why: `${name} is one of its workspace` };
  }
  return undefined;
}

function holdsMember(text: string, path: string): boolean {
  return [...text.matchAll(/^source = \{ (?:editable|virtual|directory) = "([^"]+)"/gm)].some(
    ([, source]) => source === path,
  );
}
