// pyproject.toml without a lock: PEP 621 goes to the resolver as it is, Poetry's own tables as the
// requirements they mean.
import { hasFile, under, type SourceTree } from '../source-tree.ts';
import { isTable, parsePyproject } from '../tandem-toml.ts';
import { linesFrom, sourceOf, type Candidate } from './dependency-source.ts';
import { pyprojectRequirements, tableIn, texts } from './pyproject-requirements.ts';
import { requirementsSource } from './requirements-choice.ts';

export function pyprojectIn(
  tree: SourceTree,
  directory: string,
  wished: readonly string[],
): Candidate | undefined {
  const path = under(directory, 'pyproject.toml');
  const text = tree.read(path);
  if (text === undefined) return undefined;
  const pyproject = parsePyproject(text, path);
  const asked = pyprojectRequirements(pyproject, wished);
  if (asked === undefined) return undefined;
  if (asked.isDynamic) return dynamic(tree, directory, pyproject);
  const requirements = asked.requirements.map((one) => one.text);
  const indexes = indexLines(pyproject);
  const { extras, groups } = asked;
  const parts = {
    directory,
    wished,
    files: [path],
    lines: linesFrom(text, path, requirements),
    namesPaths: requirements.some((one) => /^-e |@ file:/.test(one)),
  };
  const source = asked.isStandard
    ? sourceOf('pyproject', { ...parts, extras, groups })
    : sourceOf('requirements', {
        ...parts,
        groups,
        requirements: [...indexes, ...requirements, ''].join('\n'),
      });
  const chosen = [...extras, ...groups];
  return {
    source,
    isEmpty: requirements.length === 0,
    ...(chosen.length === 0 ? {} : { why: `with ${chosen.join(', ')}` }),
  };
}

/** Dependencies that setuptools reads from a file; else its build says them. */
function dynamic(
  tree: SourceTree,
  directory: string,
  pyproject: Record<string, unknown>,
): Candidate {
  const setuptools = tableIn(tableIn(pyproject, 'tool'), 'setuptools');
  const named = tableIn(tableIn(setuptools, 'dynamic'), 'dependencies')?.['file'];
  const files = [named].flat().filter((one) => typeof one === 'string');
  const paths = files.map((name) => under(directory, name)).filter((path) => hasFile(tree, path));
  if (paths.length > 0) {
    return { source: requirementsSource(tree, paths, directory), why: 'named by pyproject.toml' };
  }
  // What its build would most likely read, without the build.
  const beside = under(directory, 'requirements.txt');
  if (hasFile(tree, beside)) {
    const why = 'beside a pyproject.toml that leaves dependencies to its build';
    return { source: requirementsSource(tree, [beside], directory), why };
  }
  const path = under(directory, 'pyproject.toml');
  const source = sourceOf('pyproject', { directory, files: [path], lines: [], namesPaths: true });
  return { source, why: 'its build names the dependencies' };
}

/** `[[tool.poetry.source]]` as pip knows it. */
function indexLines(pyproject: Record<string, unknown>): string[] {
  const sources = tableIn(tableIn(pyproject, 'tool'), 'poetry')?.['source'];
  if (!Array.isArray(sources)) return [];
  return sources.flatMap((one: unknown) => {
    const [url] = texts([isTable(one) ? one['url'] : undefined]);
    if (url === undefined || !isTable(one)) return [];
    const isDefault = one['priority'] === 'primary' || one['default'] === true;
    return [`${isDefault ? '--index-url' : '--extra-index-url'} ${url}`];
  });
}
