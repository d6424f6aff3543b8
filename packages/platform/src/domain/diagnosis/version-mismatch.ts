// Code for another version of Python: syntax, modules and names that came or went.
import { guiltyPackage, absentModule, absentName } from './import-error.ts';
import type { Cause, DiagnosisInput } from './evidence.ts';
import {
  PYTHON_2_MODULES,
  RUNTIME,
  STDLIB_MODULES,
  STDLIB_NAMES,
  SYNTAX,
  type Change,
} from './tables/python-changes.ts';
import { lastTraceback, projectWhere, type Traceback } from './traceback.ts';

interface Mismatch {
  readonly what: string;
  readonly change: Change;
  /** What it is called now. */
  readonly instead?: string;
}

export function wrongPython(input: DiagnosisInput): Cause | undefined {
  const traceback = lastTraceback(input.logTail);
  const found = traceback && mismatchIn(traceback);
  if (traceback === undefined || found === undefined || !applies(input, found.change)) {
    return undefined;
  }
  const by = guiltyPackage(traceback);
  const user = by === undefined ? 'The project' : `The package "${by}"`;
  return {
    code: 'VERSION_MISMATCH',
    message: `${user} uses ${found.what}, ${rangeOf(found.change)}; it runs on Python ${input.pythonVersion ?? '3'}.`,
    where: placeOf(traceback),
    hint: hintOf(found, by, placeOf(traceback)),
  };
}

function mismatchIn(traceback: Traceback): Mismatch | undefined {
  return (
    bySyntax(traceback) ??
    byModule(traceback) ??
    byName(traceback) ??
    RUNTIME.find(({ says }) => says.test(firstLine(traceback)))
  );
}

function bySyntax(traceback: Traceback): Mismatch | undefined {
  if (!/^(?:SyntaxError|TabError|IndentationError)$/.test(traceback.type)) return undefined;
  const line = traceback.frames.at(-1)?.text ?? '';
  return SYNTAX.find(
    (one) => one.says.test(traceback.message) && (one.line === undefined || one.line.test(line)),
  );
}

function byModule(traceback: Traceback): Mismatch | undefined {
  const module = absentModule(traceback)?.split('.')[0] ?? '';
  const instead = PYTHON_2_MODULES[module];
  if (instead !== undefined) {
    return { what: `the module "${module}"`, change: { until: '2.7' }, instead };
  }
  const change = STDLIB_MODULES[module];
  return change && { what: `the module "${module}"`, change };
}

function byName(traceback: Traceback): Mismatch | undefined {
  const absent = absentName(traceback);
  const name = absent && `${absent.module}.${absent.name}`;
  const change = name === undefined ? undefined : STDLIB_NAMES[name];
  return change && { what: `"${name}"`, change };
}

/** A version that should have it means that something else is wrong. */
function applies({ pythonVersion }: DiagnosisInput, { since, until }: Change): boolean {
  if (pythonVersion === undefined) return true;
  if (since !== undefined) return minorOf(pythonVersion) < minorOf(since);
  return until === undefined || minorOf(pythonVersion) > minorOf(until);
}

function minorOf(version: string): number {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major * 1000 + minor;
}

function rangeOf({ since, until }: Change): string {
  return since === undefined ? `which Python had up to ${until}` : `new in Python ${since}`;
}

function hintOf({ change, instead }: Mismatch, by: string | undefined, where?: string): string {
  const { since, until, backport } = change;
  const place = where === undefined ? 'there' : 'the line';
  const newer = by === undefined ? undefined : `or take a newer version of ${by}`;
  if (until === '2.7' || until === '3.6' || until === '3.7') {
    if (by !== undefined) return `take a version of ${by} for Python 3.8 or newer`;
    return instead ? `import ${instead} instead` : `change ${place} to what Python 3 has`;
  }
  const pin = `say in tandem.toml: python = "${since ?? until}"`;
  const other = backport === undefined ? newer : `or add ${backport} to the dependencies`;
  return [pin, other].filter(Boolean).join('\n');
}

/** A syntax error may lie in a package; then its own file is the place. */
function placeOf(traceback: Traceback): string | undefined {
  const own = projectWhere(traceback);
  if (own !== undefined || traceback.type !== 'SyntaxError') return own;
  const last = traceback.frames.at(-1);
  return last && `${last.file.replace(/^.*\/(?=(?:site|dist)-packages\/)/, '')}:${last.line}`;
}

function firstLine({ message }: Traceback): string {
  return message.split('\n')[0] ?? '';
}
