// Up to which Python a version of a package works, from what people know once and for all: pins of an
// old project name packages that were never built for a new interpreter. Pure, without network.
import type { RequirementLine } from '../requirements-file.ts';
import { compareVersions, parseVersion } from '../version-specifier.ts';

/**
 * First version with a wheel for CPython 3.9, 3.10, 3.11, 3.12 and 3.13 on Linux x86-64. Read from the
 * public index in November 2026: the lowest version that
 * `uv pip compile --resolution lowest --only-binary :all: --python-version 3.N` chooses.
 */
const WHEELS_SINCE: Readonly<Record<string, readonly string[]>> = {
  asyncpg: ['0.22.0', '0.24.0', '0.27.0', '0.29.0', '0.30.0'],
  cffi: ['1.14.3', '1.15.0', '1.15.1', '1.16.0', '1.17.0'],
  gevent: ['20.6.1', '21.12.0', '22.10.1', '23.7.0', '24.10.1'],
  greenlet: ['0.4.17', '1.1.0', '1.1.3', '3.0.0', '3.1.0'],
  httptools: ['0.1.2', '0.3.0', '0.5.0', '0.6.1', '0.6.2'],
  lxml: ['4.5.2', '4.6.3', '4.9.1', '4.9.3', '5.3.0'],
  markupsafe: ['1.1.1', '2.0.1', '2.1.2', '2.1.3', '3.0.0'],
  numpy: ['1.19.3', '1.21.2', '1.23.2', '1.26.0', '2.1.0'],
  orjson: ['2.2.0', '3.4.7', '3.7.7', '3.9.3', '3.10.7'],
  pandas: ['1.1.3', '1.3.3', '1.5.0', '2.1.1', '2.2.3'],
  pillow: ['8.0.0', '8.3.2', '9.2.0', '10.0.0', '10.4.0'],
  'psycopg-binary': ['3.0', '3.0', '3.1.4', '3.1.12', '3.2.2'],
  'psycopg2-binary': ['2.8.6', '2.9.1', '2.9.5', '2.9.9', '2.9.10'],
  'pydantic-core': ['2.0.0', '2.0.0', '2.0.0', '2.1.2', '2.20.0'],
  pyyaml: ['5.4', '6.0', '6.0', '6.0.1', '6.0.2'],
  scipy: ['1.5.4', '1.7.2', '1.9.2', '1.11.2', '1.14.1'],
  uvloop: ['0.15.2', '0.16.0', '0.17.0', '0.18.0', '0.21.0'],
};
const WHEELS_FIRST_MINOR = 9;

/**
 * Versions below the first do not work on a Python newer than the second: Django by its documentation
 * (docs.djangoproject.com, FAQ: Installation), the others by importing them.
 */
const WORKS_UP_TO: Readonly<Record<string, readonly (readonly [string, number])[]>> = {
  celery: [['5.0', 10]],
  django: [
    ['2.2', 7],
    ['3.2', 9],
    ['4.1', 10],
    ['4.2', 11],
    ['5.1', 12],
    ['5.2', 13],
  ],
  gunicorn: [['20.0', 9]],
  werkzeug: [['0.15', 9]],
};

export interface NewestPython {
  /** 9 for 3.9. */
  readonly minor: number;
  /** `django==2.2` */
  readonly requirement: string;
  readonly why: string;
  readonly evidence: string;
}

/** The strictest of all; undefined when none of the lines sets a limit that we know. */
export function newestPython(lines: readonly RequirementLine[]): NewestPython | undefined {
  const limits = lines.flatMap((line) => limitOf(line) ?? []);
  return limits.toSorted((one, other) => one.minor - other.minor)[0];
}

function limitOf({ name, text, evidence }: RequirementLine): NewestPython | undefined {
  // Another line holds for other Pythons.
  if (name === undefined || /;.*python_/.test(text)) return undefined;
  const bound = upperBound(specifierIn(text));
  if (bound === undefined) return undefined;
  const requirement = `${name}${specifierIn(text)}`;
  const framework = WORKS_UP_TO[name]?.find(([below]) => isBelow(bound, below));
  if (framework !== undefined) {
    return { minor: framework[1], requirement, why: 'works up to', evidence };
  }
  const at = WHEELS_SINCE[name]?.findIndex((since) => isBelow(bound, since)) ?? -1;
  if (at < 0) return undefined;
  return { minor: WHEELS_FIRST_MINOR + at - 1, requirement, why: 'has wheels up to', evidence };
}

interface Bound {
  readonly version: readonly number[];
  /** The version itself is allowed. */
  readonly inclusive: boolean;
}

function isBelow({ version, inclusive }: Bound, limit: string): boolean {
  const order = compareVersions(version, parseVersion(limit));
  return inclusive ? order < 0 : order <= 0;
}

function specifierIn(text: string): string {
  const specifier = /^[\w.-]+\s*(?:\[[^\]]*\])?\s*([^;@#]*)/.exec(text)?.[1] ?? '';
  return specifier.replace(/--hash.*$/, '').replace(/[\s()]/g, '');
}

/** The newest version that a specifier allows; undefined for any. */
export function upperBound(specifier: string): Bound | undefined {
  const bounds = specifier.split(',').flatMap((clause) => boundOf(clause) ?? []);
  return bounds.toSorted((one, other) => compareVersions(one.version, other.version))[0];
}

function boundOf(clause: string): Bound | undefined {
  const [, operator, operand = ''] = /^(===|==|~=|<=|<)(.+)$/.exec(clause) ?? [];
  if (operator === undefined) return undefined;
  const version = parseVersion(operand);
  if (operator === '<') return { version, inclusive: false };
  if (operator === '~=') return { version: next(version.slice(0, -1)), inclusive: false };
  if (operand.endsWith('*')) return { version: next(version), inclusive: false };
  return { version, inclusive: true };
}

function next(version: readonly number[]): number[] {
  return [...version.slice(0, -1), (version.at(-1) ?? 0) + 1];
}
