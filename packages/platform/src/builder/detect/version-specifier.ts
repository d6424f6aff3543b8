// Whether a version satisfies a specifier: PEP 440 as far as `requires-python` uses it, and the
// caret, tilde and `||` of Poetry.

type Version = readonly number[];

export function parseVersion(text: string): Version {
  return (/^\d+(\.\d+)*/.exec(text)?.[0] ?? '').split('.').filter(Boolean).map(Number);
}

export function compareVersions(one: Version, other: Version): number {
  for (let index = 0; index < Math.max(one.length, other.length); index += 1) {
    const difference = (one[index] ?? 0) - (other[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

export function isOlder(version: string, other: string): boolean {
  return compareVersions(parseVersion(version), parseVersion(other)) < 0;
}

/** Unknown operators are satisfied: the resolver has the last word. */
export function satisfies(version: string, specifier: string): boolean {
  return specifier.split('||').some((all) =>
    all
      .split(',')
      .map((clause) => clause.trim())
      .every((clause) => clause === '' || clause === '*' || holds(parseVersion(version), clause)),
  );
}

function holds(version: Version, clause: string): boolean {
  const [, operator = '==', operand = ''] =
    /^(===|==|!=|~=|>=|<=|>|<|\^|~)?\s*(.*)$/.exec(clause) ?? [];
  const wanted = parseVersion(operand);
  const order = compareVersions(version, wanted);
  switch (operator) {
    case '>=':
      return order >= 0;
    case '<=':
      // "<=3.12" is meant to include 3.12.4.
      return order <= 0 || startsWith(version, wanted);
    case '>':
      return order > 0;
    case '<':
      return order < 0;
    case '!=':
      return !startsWith(version, wanted);
    case '~=':
      return order >= 0 && startsWith(version, wanted.slice(0, -1));
    case '^':
      return order >= 0 && startsWith(version, wanted.slice(0, 1));
    case '~':
      return order >= 0 && startsWith(version, wanted.slice(0, 2));
    default:
      return startsWith(version, wanted);
  }
}

function startsWith(version: Version, prefix: Version): boolean {
  return prefix.every((part, index) => version[index] === part);
}
