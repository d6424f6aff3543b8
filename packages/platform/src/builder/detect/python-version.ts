// Which interpreter: a version somebody wrote down, else the newest one that the pinned packages work
// on, else the default. Contradictions are said, and what is not available is replaced by the nearest.
import { TandemError } from '@tandem/protocol';
import { NO_DEPENDENCIES, type DependencySource } from './dependencies/dependency-source.ts';
import { detected, finding, type Detected } from './evidence.ts';
import { newestPythonOfLock } from './python/locked-wheels.ts';
import { newestPython, type NewestPython } from './python/newest-python.ts';
import {
  classifiedMinors,
  exactPythons,
  python2Line,
  pythonRanges,
  type PythonWish,
} from './python/python-wishes.ts';
import type { SourceTree } from './source-tree.ts';
import { compareVersions, parseVersion, satisfies } from './version-specifier.ts';

const DEFAULT_MINOR = '3.12';
const PATCHES = 25;

export interface PythonRequest {
  /** Looked through in order: directory of the dependency files, of the app, the top. */
  readonly directories: readonly string[];
  /** Full versions on offer, for example `3.12.1`. */
  readonly available: readonly string[];
  readonly configured?: string;
  readonly dependencies?: DependencySource;
}

export function detectPythonVersion(tree: SourceTree, request: PythonRequest): Detected<string> {
  const { available, configured } = request;
  if (configured !== undefined) return fromUser(configured, available);
  const directories = [...new Set(request.directories)];
  const dependencies = request.dependencies ?? NO_DEPENDENCIES;
  const [range] = pythonRanges(tree, directories);
  const exact = exactPythons(tree, directories, dependencies.files);
  const fitting = inRange(range, available);
  const met = exact.find((wish) => fitting.some((version) => fits(version, wish)));
  if (met !== undefined) return fromWish(met, fitting, range, exact);
  const [unmet] = exact.filter((wish) => range === undefined || withinRange(wish, range));
  if (unmet !== undefined) return nearest(tree, unmet, fitting, exact);
  return fromPackages(tree, { directories, dependencies, fitting, range, exact, available });
}

function fromUser(specifier: string, available: readonly string[]): Detected<string> {
  const wish = { specifier, evidence: 'tandem.toml', exact: /^\d/.test(specifier) };
  const fitting = available.filter((version) => fits(version, wish));
  const chosen = wish.exact ? newest(fitting) : preferred(fitting);
  if (chosen === undefined) throw unavailable(wish, available);
  return detected(chosen, finding('python', chosen, `asks for ${specifier}`, wish.evidence));
}

/** All of them when the range lies below what there is: an older project may work on the nearest. */
function inRange(range: PythonWish | undefined, available: readonly string[]): readonly string[] {
  if (available.length === 0) throw unavailable(undefined, available);
  if (range === undefined) return available;
  const fitting = available.filter((version) => fits(version, range));
  if (fitting.length > 0) return fitting;
  if (!olderVersions(available).some((version) => satisfies(version, range.specifier))) {
    throw unavailable(range, available);
  }
  return available.filter((version) => minorOf(version) === minorOf(oldest(available)));
}

/** Every release of Python 3 before the oldest that there is, and some that never came. */
function olderVersions(available: readonly string[]): string[] {
  const minors = Array.from({ length: minorOf(oldest(available)) }, (_, minor) => minor);
  return minors.flatMap((minor) =>
    Array.from({ length: PATCHES }, (_, patch) => `3.${minor}.${patch}`),
  );
}

function fromWish(
  met: PythonWish,
  fitting: readonly string[],
  range: PythonWish | undefined,
  exact: readonly PythonWish[],
): Detected<string> {
  const chosen = newest(fitting.filter((version) => fits(version, met))) ?? '';
  const others = contradictions(chosen, exact.concat(range ?? []), met);
  return detected(
    chosen,
    finding('python', chosen, `asks for ${met.specifier}${others}`, met.evidence),
  );
}

/** The next newer minor version, else the newest there is. */
function nearest(
  tree: SourceTree,
  wish: PythonWish,
  fitting: readonly string[],
  exact: readonly PythonWish[],
): Detected<string> {
  const wanted = parseVersion(wish.specifier);
  if (wanted[0] === 2) {
    const line = python2Line(tree);
    if (line !== undefined) throw onlyPython2(wish, line, fitting);
  }
  const newer = fitting.filter((version) => compareVersions(parseVersion(version), wanted) > 0);
  const next = newest(newer.filter((version) => minorOf(version) === minorOf(oldest(newer))));
  const chosen = next ?? newest(fitting) ?? '';
  const why = `asks for ${wish.specifier}, which is not available; ${chosen} is the nearest`;
  const others = contradictions(chosen, exact, wish);
  return detected(chosen, finding('python', chosen, `${why}${others}`, wish.evidence));
}

interface Evidence {
  readonly directories: readonly string[];
  readonly dependencies: DependencySource;
  readonly fitting: readonly string[];
  readonly range: PythonWish | undefined;
  readonly exact: readonly PythonWish[];
  readonly available: readonly string[];
}

/** Nobody named one version: what the packages work on, what the project was tried on, our default. */
function fromPackages(tree: SourceTree, evidence: Evidence): Detected<string> {
  const { directories, dependencies, fitting, range, exact } = evidence;
  const limit = strictest([
    newestPythonOfLock(tree, dependencies),
    newestPython([...dependencies.lines, ...dependencies.constraints]),
  ]);
  const allowed = fitting.filter(
    (version) => limit === undefined || minorOf(version) <= limit.minor,
  );
  const usable =
    allowed.length > 0
      ? allowed
      : fitting.filter((one) => minorOf(one) === minorOf(oldest(fitting)));
  const classified = classifiedMinors(tree, directories);
  const tried = usable.filter((version) => classified?.minors.includes(minorOf(version)));
  const chosen = preferred(tried.length > 0 ? tried : usable);
  if (chosen === undefined) throw unavailable(range, evidence.available);
  const others = contradictions(chosen, exact.concat(range ?? []), undefined, range);
  const byDefault = preferred(fitting);
  if (limit !== undefined && chosen !== byDefault && tried.length === 0) {
    const why = `${limit.requirement} ${limit.why} Python 3.${limit.minor}${others}`;
    return detected(chosen, finding('python', chosen, why, limit.evidence));
  }
  if (chosen !== byDefault && classified !== undefined) {
    const why = `the newest that its classifiers name${others}`;
    return detected(chosen, finding('python', chosen, why, classified.evidence));
  }
  if (range === undefined) {
    return detected(chosen, finding('python', chosen, `the project names no version${others}`));
  }
  const how = fits(chosen, range)
    ? `fits ${range.specifier}`
    : `asks for ${range.specifier}, which is not available; ${chosen} is the nearest`;
  return detected(chosen, finding('python', chosen, `${how}${others}`, range.evidence));
}

function strictest(limits: readonly (NewestPython | undefined)[]): NewestPython | undefined {
  const known = limits.filter((one) => one !== undefined);
  return known.toSorted((one, other) => one.minor - other.minor)[0];
}

/** `; .python-version asks for 3.11`, for each that says something else. */
function contradictions(
  chosen: string,
  wishes: readonly PythonWish[],
  ...said: readonly (PythonWish | undefined)[]
): string {
  const others = wishes.filter((wish) => !said.includes(wish) && !fits(chosen, wish));
  return others.map((wish) => `; ${wish.evidence} asks for ${wish.specifier}`).join('');
}

/** An exact patch release is met by any patch of the same minor version. */
function fits(version: string, wish: PythonWish): boolean {
  if (!wish.exact) return satisfies(version, wish.specifier);
  return satisfies(version, wish.specifier.split('.').slice(0, 2).join('.'));
}

function withinRange(wish: PythonWish, range: PythonWish): boolean {
  return satisfies(wish.specifier, range.specifier);
}

function minorOf(version: string): number {
  return parseVersion(version)[1] ?? 0;
}

function newest(versions: readonly string[]): string | undefined {
  return sorted(versions).at(-1);
}

function oldest(versions: readonly string[]): string {
  return sorted(versions)[0] ?? '';
}

function sorted(versions: readonly string[]): string[] {
  return versions.toSorted((one, other) => compareVersions(parseVersion(one), parseVersion(other)));
}

/** What a project that names no version gets. */
export function preferred(versions: readonly string[]): string | undefined {
  return (
    newest(versions.filter((version) => satisfies(version, DEFAULT_MINOR))) ?? newest(versions)
  );
}

function unavailable(wish: PythonWish | undefined, available: readonly string[]): TandemError {
  const message = wish
    ? `The project asks for Python ${wish.specifier}; none available fits.`
    : 'No Python interpreter is available.';
  return new TandemError('PYTHON_UNAVAILABLE', message, {
    where: wish?.evidence,
    hint: `available: ${available.join(', ') || 'none'}\nchoose one in tandem.toml: python = "3.12"`,
  });
}

function onlyPython2(wish: PythonWish, line: string, available: readonly string[]): TandemError {
  const message = `The project asks for Python ${wish.specifier} and is written for Python 2: ${line}.`;
  return new TandemError('PYTHON_UNAVAILABLE', message, {
    where: wish.evidence,
    hint: `available: ${available.join(', ')}\nturn the source into Python 3: 2to3 -w .`,
  });
}
