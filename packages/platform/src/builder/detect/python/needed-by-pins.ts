// The oldest Python on which a pinned version of a package can be installed, for the few packages whose
// newest versions projects pin while their own classifiers name older Pythons. Pure.
import type { RequirementLine } from '../requirements-file.ts';
import { compareVersions, parseVersion } from '../version-specifier.ts';
import type { OldestPython } from './oldest-python.ts';

/** Since which version a package needs which Python 3, the newest first: its `requires-python`. */
const NEEDS: Readonly<Record<string, readonly (readonly [since: string, minor: number])[]>> = {
  django: [
    ['6.0', 12],
    ['5.0', 10],
    ['4.0', 8],
  ],
  flask: [
    ['3.1', 9],
    ['2.3', 8],
  ],
  numpy: [
    ['2.3', 11],
    ['2.1', 10],
    ['1.25', 9],
  ],
  pandas: [
    ['3.0', 11],
    ['2.1', 9],
  ],
  pillow: [
    ['12.0', 10],
    ['11.0', 9],
  ],
};

export function neededByPins(
  lines: readonly RequirementLine[],
  above: number,
): OldestPython | undefined {
  const needs = lines.flatMap(({ name, text, evidence }) => {
    const pinned = /^[\w.-]+\s*(?:\[[^\]]*\])?\s*(?:==|~=|>=)\s*([\d.]+)/.exec(text)?.[1];
    if (pinned === undefined || text.includes(';') || name === undefined) return [];
    const version = parseVersion(pinned);
    const [, minor] =
      NEEDS[name]?.find(([since]) => compareVersions(version, parseVersion(since)) >= 0) ?? [];
    return minor === undefined || minor <= above
      ? []
      : [{ minor, what: `${name} ${pinned}`, evidence }];
  });
  return needs.toSorted((one, other) => other.minor - one.minor)[0];
}
