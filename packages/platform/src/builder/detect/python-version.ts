// Which interpreter: a version somebody wrote down, else the newest one that the pinned packages work
// on, else the default. Contradictions are said, and what is not available is replaced by the nearest.
import { TandemError } from '@tandem/protocol';
import { NO_DEPENDENCIES, type DependencySource } from './dependencies/dependency-source.ts';
import { detected, finding, type Detected } from './evidence.ts';
import { minorOf, nearestAbove, newest, oldest, preferred } from './python/available-versions.ts';
import { newestPythonOf } from './python/locked-wheels.ts';
import { PythonUnavailable } from './python/python-unavailable.ts';
import {
  classifiedMinors,
  exactPythons,
  python2Line,
  pythonRanges,
  type PythonWish,
} from './python/python-wishes.ts';
import { raisedBySource } from './python/raised-by-source.ts';
import type { SourceTree } from './source-tree.ts';
import { compareVersions, parseVersion, satisfies } from './version-specifier.ts';

const PATCHES = 25;

export interface PythonRequest {
  /** Looked through in order: directory of the dependency files, of the app, the top. */
  readonly directories: readonly string[];
  /** Of the app: what is written there may need a newer one. */
  readonly root: string;
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
  const evidence = { ...request, directories, dependencies, fitting, range, exact };
  if (unmet !== undefined) return nearest(tree, unmet, evidence);
  return fromPackages(tree, evidence);
}

function fromUser(specifier: string, available: readonly string[]): Detected<string> {
  const wish = { specifier, evidence: 'tandem.toml', exact: /^\d/.test(specifier) };
  const fitting = available.filter((version) => fits(version, wish));
  const chosen = wish.exact ? newest(fitting) : preferred(fitting);
  if (chosen === undefined) throw new PythonUnavailable(wish, available);
  return detected(chosen, finding('python', chosen, `asks for ${specifier}`, wish.evidence));
}

/** All of them when the range lies below what there is: an older project may work on the nearest. */
function inRange(range: PythonWish | undefined, available: readonly string[]): readonly string[] {
  if (available.length === 0) throw new PythonUnavailable(undefined, available);
  if (range === undefined) return available;
  const fitting = available.filter((version) => fits(version, range));
  if (fitting.length > 0) return fitting;
  if (!olderVersions(available).some((version) => satisfies(version, range.specifier))) {
    throw new PythonUnavailable(range, available);
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
function nearest(tree: SourceTree, wish: PythonWish, evidence: Evidence): Detected<string> {
  const { root, fitting, exact } = evidence;
  const wanted = parseVersion(wish.specifier);
  if (wanted[0] === 2) {
    const line = python2Line(tree);
    if (line !== undefined) throw onlyPython2(wish, line, fitting);
  }
  const newer = fitting.filter((version) => compareVersions(parseVersion(version), wanted) > 0);
  const next = nearestAbove(newer) ?? newest(fitting) ?? '';
  const raised = raisedBySource(tree, root, next, fitting);
  const chosen = raised?.version ?? next;
  const how =
    raised === undefined ? 'is the nearest' : `has ${raised.by.what}, at ${raised.by.evidence}`;
  const why = `asks for ${wish.specifier}, which is not available; ${chosen} ${how}`;
  const others = contradictions(chosen, exact, wish);
  return detected(chosen, finding('python', chosen, `${why}${others}`, wish.evidence));
}

interface Evidence {
  readonly directories: readonly string[];
  readonly root: string;
  readonly dependencies: DependencySource;
  readonly fitting: readonly string[];
  readonly range: PythonWish | undefined;
  readonly exact: readonly PythonWish[];
  readonly available: readonly string[];
}

/** Nobody named one version: what the packages work on, what the project was tried on, our default. */
function fromPackages(tree: SourceTree, evidence: Evidence): Detected<string> {
  const { directories, root, dependencies, fitting, range, exact } = evidence;
  const limit = newestPythonOf(tree, dependencies);
  const allowed = fitting.filter(
    (version) => limit === undefined || minorOf(version) <= limit.minor,
  );
  const usable =
    allowed.length > 0
      ? allowed
      : fitting.filter((one) => minorOf(one) === minorOf(oldest(fitting)));
  const classified = classifiedMinors(tree, directories);
  const tried = usable.filter((version) => classified?.minors.includes(minorOf(version)));
  const first = preferred(tried.length > 0 ? tried : usable);
  if (first === undefined) throw new PythonUnavailable(range, evidence.available);
  const raised = raisedBySource(tree, root, first, fitting, dependencies.lines);
  const chosen = raised?.version ?? first;
  const others = contradictions(chosen, exact.concat(range ?? []), undefined, range);
  const said = (why: string, where?: string): Detected<string> =>
    detected(chosen, finding('python', chosen, `${why}${others}`, where));
  if (raised !== undefined) {
    const { minor, what, evidence: where } = raised.by;
    return said(`${what} needs Python 3.${minor}`, where);
  }
  const byDefault = preferred(fitting);
  if (limit !== undefined && chosen !== byDefault && tried.length === 0) {
    return said(`${limit.requirement} ${limit.why} Python 3.${limit.minor}`, limit.evidence);
  }
  if (chosen !== byDefault && classified !== undefined) {
    return said('the newest that its classifiers name', classified.evidence);
  }
  if (range === undefined) return said('the project names no version');
  const how = fits(chosen, range)
    ? `fits ${range.specifier}`
    : `asks for ${range.specifier}, which is not available; ${chosen} is the nearest`;
  return said(how, range.evidence);
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

function onlyPython2(wish: PythonWish, line: string, available: readonly string[]): TandemError {
  const message = `The project asks for Python ${wish.specifier} and is written for Python 2: ${line}.`;
  return new TandemError('PYTHON_UNAVAILABLE', message, {
    where: wish.evidence,
    hint: `available: ${available.join(', ')}\nturn the source into Python 3: 2to3 -w .`,
  });
}
