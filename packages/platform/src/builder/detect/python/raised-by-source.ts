// A version that nobody named gives way to what the source is written for, and to what the pinned
// packages need.
import type { SourceTree } from '../source-tree.ts';
import type { RequirementLine } from '../requirements-file.ts';
import { minorOf, nearestAbove, newest } from './available-versions.ts';
import { neededByPins } from './needed-by-pins.ts';
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
  pins: readonly RequirementLine[] = [],
): Raised | undefined {
  const minor = minorOf(chosen);
  if (minor >= minorOf(newest(fitting) ?? chosen)) return undefined;
  const pinned = neededByPins(pins, minor);
  const by = oldestPython(tree, root, pinned?.minor ?? minor) ?? pinned;
  if (by === undefined) return undefined;
  const version = nearestAbove(fitting.filter((one) => minorOf(one) >= by.minor));
  return version === undefined ? undefined : { version, by };
}
