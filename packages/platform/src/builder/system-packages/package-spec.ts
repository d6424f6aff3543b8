// A Debian package as a project asks for it: a name, and what its version must be.
import { TandemError, type ErrorCode } from '@tandem/protocol';
import { compareDebianVersions } from './debian-version.ts';

export interface VersionCondition {
  readonly relation: '=' | '>=' | '<=' | '>' | '<';
  /** With `=` it may end in `*`: any version that begins so. */
  readonly version: string;
}

export interface PackageSpec {
  readonly name: string;
  /** All must hold; none: the newest. */
  readonly conditions: readonly VersionCondition[];
  readonly text: string;
  /** `file:line`. */
  readonly evidence: string;
  /** Said and left out where the archive has none. */
  readonly optional?: true;
}

/** Debian Policy 5.6.1. */
const NAME = /^[a-z0-9][a-z0-9+.-]+/;
const CONDITION = /^(==?|>=|<=|>>?|<<?)\s*([0-9][A-Za-z0-9.+~:-]*(\*?))$/;
const EXAMPLE = 'libmagic1, gdal-bin>=3, libpq5=15.*';

/** Throws with `code` when the text is no package. */
export function parsePackageSpec(text: string, evidence: string, code: ErrorCode): PackageSpec {
  const trimmed = text.trim();
  const name = NAME.exec(trimmed)?.[0];
  const rest = trimmed.slice(name?.length ?? 0).trim();
  if (name === undefined || /^[^=<>\s]/.test(rest)) throw invalid(text, evidence, code);
  const conditions = rest === '' ? [] : rest.split(',').map((part) => condition(part.trim()));
  if (conditions.includes(undefined)) throw invalid(text, evidence, code);
  return {
    name,
    conditions: conditions.filter((one) => one !== undefined),
    text: trimmed.replaceAll(/\s+/g, ''),
    evidence,
  };
}

function condition(text: string): VersionCondition | undefined {
  const [, sign, version, star] = CONDITION.exec(text) ?? [];
  if (sign === undefined || version === undefined) return undefined;
  // As in the fields of Debian: `>>` is strictly later, `==` is how Python people write it.
  const relation = sign === '==' ? '=' : sign === '>>' ? '>' : sign === '<<' ? '<' : sign;
  if (star === '*' && relation !== '=') return undefined;
  return { relation: relation as VersionCondition['relation'], version };
}

export function satisfies(version: string, conditions: readonly VersionCondition[]): boolean {
  return conditions.every((one) => holds(version, one));
}

function holds(version: string, { relation, version: wanted }: VersionCondition): boolean {
  if (relation === '=' && wanted.endsWith('*')) {
    const prefix = wanted.slice(0, -1);
    return version.startsWith(prefix) || version.replace(/^\d+:/, '').startsWith(prefix);
  }
  const order = compareDebianVersions(version, wanted);
  switch (relation) {
    case '=':
      // People name the version of the software; the revision is Debian's.
      return order === 0 || version.replace(/^\d+:/, '').replace(/-[^-]*$/, '') === wanted;
    case '>=':
      return order >= 0;
    case '<=':
      return order <= 0;
    case '>':
      return order > 0;
    case '<':
      return order < 0;
  }
}

function invalid(text: string, evidence: string, code: ErrorCode): TandemError {
  const shown = text.trim().slice(0, 80);
  return new TandemError(code, `${evidence}: "${shown}" is not a Debian package.`, {
    where: `${evidence} ${shown}`,
    hint: `a name and, if it matters, a version: ${EXAMPLE}`,
  });
}
