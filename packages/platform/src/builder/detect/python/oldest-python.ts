// The oldest Python that the source of an app can run on.
import { classify } from '../dependencies/production-names.ts';
import { walkFiles, type SourceTree } from '../source-tree.ts';
import { neededPython } from './source-features.ts';

/** Beside what names of directories say: what no server imports. */
const NOT_RUN = /^(tests?_|conftest|noxfile|tasks\.py|migrations$|scripts?$|bin$|contrib$)/;
const DEPTH_MAX = 6;
const FILES_MAX = 2_000;
const CHARACTERS_MAX = 200_000;

export interface OldestPython {
  /** 10 for 3.10. */
  readonly minor: number;
  readonly what: string;
  readonly evidence: string;
}

/** Undefined when nothing needs more than Python 3.`above`. Tests and tools are not looked at. */
export function oldestPython(
  tree: SourceTree,
  root: string,
  above: number,
): OldestPython | undefined {
  const paths = walkFiles(tree, root, DEPTH_MAX).filter(
    (path) => path.endsWith('.py') && isOfApp(path.slice(root.length)),
  );
  let oldest: OldestPython | undefined;
  for (const path of paths.slice(0, FILES_MAX)) {
    const text = tree.read(path) ?? '';
    if (text.length > CHARACTERS_MAX) continue;
    const needed = neededPython(text, oldest?.minor ?? above);
    if (needed === undefined) continue;
    oldest = { minor: needed.minor, what: needed.what, evidence: `${path}:${needed.line}` };
  }
  return oldest;
}

function isOfApp(path: string): boolean {
  const parts = path.split('/').filter(Boolean);
  return parts.every(
    (part) => !NOT_RUN.test(part) && classify(part.replace(/\.py$/, '')) !== 'development',
  );
}
