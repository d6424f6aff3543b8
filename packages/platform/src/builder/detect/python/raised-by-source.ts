// A version that nobody named gives way to what the source is written for.
import type { SourceTree } from '../source-tree.ts';
import { minorOf, nearestAbove, newest } from './available-versions.ts';
import { oldestPython, type OldestPython } from './oldest-python.ts';

export interface Raised {
  readonly version: string;
  readonly by: OldestPython;
}

/** Undefined when the source runs on `chosen`, or on none of `fitting`. */
export function raisedBySource(
  tree: SourceTree,
  root: string,
  chosen: string,
  fitting: readonly string[],
): Raised | undefined {
  const minor = minorOf(chosen);
  if (minor >= minorOf(newest(fitting) ?? chosen)) return undefined;
  const by = oldestPython(tree, root, minor);
  if (by === undefined) return undefined;
  const version = nearestAbove(fitting.filter((one) => minorOf(one) >= by.minor));
  return version === undefined ? undefined : { version, by };
}
