// Package indexes that a project declares by name, so that config can hold their credentials.
import { under, type SourceTree } from '../source-tree.ts';
import { isTable, parsePyproject } from '../tandem-toml.ts';
import { tableIn } from './pyproject-requirements.ts';

export interface DeclaredIndex {
  readonly name: string;
  readonly url: string;
}

export function declaredIndexes(tree: SourceTree, directory: string): DeclaredIndex[] {
  const path = under(directory, 'pyproject.toml');
  const tool = tableIn(parsePyproject(tree.read(path) ?? '', path), 'tool');
  const lists = [tableIn(tool, 'uv')?.['index'], tableIn(tool, 'poetry')?.['source']];
  return lists.flat().flatMap((one: unknown) => {
    if (!isTable(one)) return [];
    const { name, url } = one;
    return typeof name === 'string' && typeof url === 'string' ? [{ name, url }] : [];
  });
}
