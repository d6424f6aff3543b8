// Distributions that only a developer installs: groups of pyproject.toml and files named for it.
import { developmentFiles } from './dependencies/requirements-choice.ts';
import { normalizeName, requirementName } from './requirements-file.ts';
import { under, type SourceTree } from './source-tree.ts';
import { isTable, parsePyproject } from './tandem-toml.ts';

export function developmentNames(tree: SourceTree, directory: string): string[] {
  const pyproject = under(directory, 'pyproject.toml');
  const text = tree.read(pyproject);
  const files = developmentFiles(tree, directory);
  const inFiles = files.flatMap((path) => (tree.read(path) ?? '').split(/\r?\n/));
  return [
    ...(text === undefined ? [] : inGroups(parsePyproject(text, pyproject))),
    ...inFiles.flatMap((line) => requirementName(line.trim()) ?? []),
  ];
}

function inGroups(pyproject: Record<string, unknown>): string[] {
  const { project, tool } = pyproject;
  const poetry = isTable(tool) ? tool['poetry'] : undefined;
  const lists = [
    ...tablesOf(pyproject['dependency-groups']),
    ...tablesOf(isTable(project) ? project['optional-dependencies'] : undefined),
  ];
  const groups = tablesOf(isTable(poetry) ? poetry['group'] : undefined);
  const older = isTable(poetry) ? [{ dependencies: poetry['dev-dependencies'] }] : [];
  const tables = [...groups, ...older].flatMap((group) =>
    isTable(group) && isTable(group['dependencies']) ? Object.keys(group['dependencies']) : [],
  );
  const texts = lists.flat().filter((one) => typeof one === 'string');
  return [...texts.flatMap((one) => requirementName(one) ?? []), ...tables.map(normalizeName)];
}

function tablesOf(value: unknown): unknown[] {
  return isTable(value) ? Object.values(value) : [];
}
