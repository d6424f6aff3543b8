// Variables that a committed .env gives: decouple, django-environ and python-dotenv read it.
import { under, type SourceTree } from './source-tree.ts';

export function committedVariables(tree: SourceTree, directories: readonly string[]): string[] {
  const files = [...new Set(directories)].map((directory) => under(directory, '.env'));
  return files.flatMap((file) => namesIn(tree.read(file) ?? ''));
}

function namesIn(text: string): string[] {
  return text.split(/\r?\n/).flatMap((line) => {
    const name = /^\s*(?:export\s+)?([A-Za-z_]\w*)\s*=/.exec(line)?.[1];
    return name === undefined ? [] : [name];
  });
}
