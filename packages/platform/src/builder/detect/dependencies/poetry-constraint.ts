// Poetry's version constraints as PEP 440 and its other keys as PEP 508: the resolver knows only these.

/** '' for any version. Of alternatives (`||`) the last, which is the newest by custom. */
export function specifierOfPoetry(constraint: string): string {
  const alternative = constraint.split('||').at(-1) ?? '';
  const clauses = alternative.trim().split(/\s*,\s*|\s+(?=[<>=!~^])/);
  return clauses.map((clause) => clauseOf(clause.trim())).join(',');
}

function clauseOf(clause: string): string {
  if (clause === '' || clause === '*') return '';
  const [, operator = '', version = ''] =
    /^(===|==|!=|~=|>=|<=|>|<|=|\^|~)?\s*(.+)$/.exec(clause) ?? [];
  if (operator === '^') return `>=${version},<${caretEnd(version)}`;
  if (operator === '~') return `>=${version},<${tildeEnd(version)}`;
  if (operator === '' || operator === '=') return `==${version}`;
  return `${operator}${version}`;
}

/** Up to the next change of the first part that is not zero. */
function caretEnd(version: string): string {
  const parts = numbers(version);
  const significant = parts.findIndex((part) => part !== 0);
  return bumped(parts, significant < 0 ? parts.length - 1 : significant);
}

function tildeEnd(version: string): string {
  const parts = numbers(version);
  return bumped(parts, Math.min(1, parts.length - 1));
}

function numbers(version: string): number[] {
  return (/^\d+(\.\d+)*/.exec(version)?.[0] ?? '0').split('.').map(Number);
}

function bumped(parts: readonly number[], at: number): string {
  return [...parts.slice(0, at), (parts[at] ?? 0) + 1].join('.');
}

/** `>=3.8,<4.0` as a marker. */
export function pythonMarker(constraint: string): string {
  const clauses = specifierOfPoetry(constraint).split(',').filter(Boolean);
  return clauses
    .map((clause) => /^([<>=!~]+)(.*)$/.exec(clause))
    .map((match) => `${variableFor(match?.[2] ?? '')} ${match?.[1]} "${match?.[2]}"`)
    .join(' and ');
}

function variableFor(version: string): string {
  return version.split('.').length > 2 && !version.endsWith('*')
    ? 'python_full_version'
    : 'python_version';
}
