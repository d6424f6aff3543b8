// Package indexes that a project declares by name, so that config can hold their credentials.
import { under, type SourceTree } from '../source-tree.ts';
import { isTable, parsePyproject } from '../tandem-toml.ts';
import { tableIn } from './pyproject-requirements.ts';

export interface DeclaredIndex {
  readonly name: string;
  readonly url: string;
  /** `file:line` */
  readonly evidence: string;
}

export function declaredIndexes(tree: SourceTree, directory: string): DeclaredIndex[] {
  const path = under(directory, 'pyproject.toml');
  const text = tree.read(path) ?? '';
  const tool = tableIn(parsePyproject(text, path), 'tool');
  const lists = [
    tableIn(tool, 'uv')?.['index'],
    tableIn(tool, 'poetry')?.['source'],
    tableIn(tool, 'pdm')?.['source'],
  ];
  return lists.flat().flatMap((one: unknown) => {
    if (!isTable(one)) return [];
    const { name, url } = one;
    if (typeof name !== 'string' || typeof url !== 'string') return [];
    const line = text.split('\n').findIndex((each) => each.includes(url)) + 1;
    return [{ name, url, evidence: `${path}:${line}` }];
  });
}
