// A tree with links in it that do not lie on the disk yet: rules of detection see what the project
// will see once they are made.
import { dirname } from 'node:path/posix';
import { under, type SourceTree, type TreeEntry } from './source-tree.ts';

/** Both relative to the top of the source; `target` is a file or directory of it. */
export interface Link {
  readonly path: string;
  readonly target: string;
}

/** A later link may lead through an earlier one. */
export function linkedTree(tree: SourceTree, links: readonly Link[]): SourceTree {
  return links.reduce(withLink, tree);
}

/** Where a path leads; relative to the top of the source. */
export function followLinks(links: readonly Link[], path: string): string {
  return links.reduceRight((at, link) => followed(link, at), path);
}

function followed({ path: at, target }: Link, path: string): string {
  if (path === at) return target;
  return path.startsWith(`${at}/`) ? under(target, path.slice(at.length + 1)) : path;
}

function withLink(tree: SourceTree, link: Link): SourceTree {
  const { path: at, target } = link;
  const kind = kindOf(tree, target) ?? 'file';
  return {
    read: (path) => tree.read(followed(link, path)),
    list: (directory) => {
      const entries = tree.list(followed(link, directory));
      const name = missingName(at, directory);
      if (name === undefined) return entries;
      const made: TreeEntry = { name, kind: under(directory, name) === at ? kind : 'directory' };
      return [...entries.filter((entry) => entry.name !== name), made].sort(byName);
    },
  };
}

/** The link itself in its directory; above that, the directory that leads to it. */
function missingName(link: string, directory: string): string | undefined {
  const prefix = directory === '' ? '' : `${directory}/`;
  return link.startsWith(prefix) ? link.slice(prefix.length).split('/')[0] : undefined;
}

/** Undefined when there is neither a file nor a directory of this path. */
export function kindOf(tree: SourceTree, path: string): TreeEntry['kind'] | undefined {
  if (path === '') return 'directory';
  const directory = dirname(path);
  const name = path.slice(path.lastIndexOf('/') + 1);
  const entries = tree.list(directory === '.' ? '' : directory);
  return entries.find((entry) => entry.name === name)?.kind;
}

function byName(one: TreeEntry, other: TreeEntry): number {
  return one.name < other.name ? -1 : 1;
}
