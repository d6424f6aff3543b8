// A tree that remembers: rules look at the same files and directories again and again. Only for the
// time of one detection, because nothing may change below it.
import type { SourceTree, TreeEntry } from './source-tree.ts';

/** A hostile source must not be held in memory as a whole; what is beyond is read again. */
const REMEMBERED_CHARACTERS_MAX = 48 * 1024 * 1024;

export function cachedTree(tree: SourceTree): SourceTree {
  const texts = new Map<string, string | undefined>();
  const directories = new Map<string, readonly TreeEntry[]>();
  let remembered = 0;
  return {
    read(path) {
      if (texts.has(path)) return texts.get(path);
      const text = tree.read(path);
      remembered += text?.length ?? 0;
      if (remembered <= REMEMBERED_CHARACTERS_MAX) texts.set(path, text);
      return text;
    },
    list(directory) {
      const known = directories.get(directory);
      if (known !== undefined) return known;
      const entries = tree.list(directory);
      directories.set(directory, entries);
      return entries;
    },
  };
}
