// Distributions that only a developer installs: groups of pyproject.toml and files named for it.
import type { DevelopmentNames } from './dependencies/dependency-source.ts';
import { developmentFiles } from './dependencies/requirements-choice.ts';
import { normalizeName, requirementName } from './requirements-file.ts';
import { under, type SourceTree } from './source-tree.ts';
import { isTable, parsePyproject } from './tandem-toml.ts';

export function developmentNames(tree: SourceTree, directory: string): DevelopmentNames {
  const pyproject = under(directory, 'pyproject.toml');
  const text = tree.read(pyproject);
  const files = developmentFiles(tree, directory);
  const inFiles = files.flatMap((path) => (tree.read(path) ?? '').split(/\r?\n/));
  const named = inFiles.flatMap((line) => requirementName(line.trim()) ?? []);
  return {
    ...Object.fromEntries(named.map((name) => [name, ''])),
    ...Object.fromEntries(text === undefined ? [] : inGroups(parsePyproject(text, pyproject))),
  };
}

type Named = readonly [name: string, group: string];

function inGroups(pyproject: Record<string, unknown>): Named[] {
  const { project, tool } = pyproject;
  const poetry = isTable(tool) ? tool['poetry'] : undefined;
  const lists = [
    ...tablesOf(pyproject['dependency-groups']),
    ...tablesOf(isTable(project) ? project['optional-dependencies'] : undefined),
  ];
  const groups = tablesOf(isTable(poetry) ? poetry['group'] : undefined);
  const older = isTable(poetry) ? [['dev', { dependencies: poetry['dev-dependencies'] }]] : [];
  const tables = [...groups, ...(older as [string, unknown][])].flatMap(([name, group]): Named[] =>
    isTable(group) && isTable(group['dependencies'])
      ? Object.keys(group['dependencies']).map((one) => [normalizeName(one), name])
      : [],
  );
  const texts = lists.flatMap(([group, list]): Named[] =>
    (Array.isArray(list) ? list : []).flatMap((one): Named[] => {
      const name = typeof one === 'string' ? requirementName(one) : undefined;
      return name === undefined ? [] : [[name, group]];
    }),
  );
  return [...texts, ...tables];
}

function tablesOf(value: unknown): [string, unknown][] {
  return isTable(value) ? Object.entries(value) : [];
}
