// A package without a wheel that could not be built: what it lacked.
import type { ErrorBody } from '@tandem/protocol';
import { HEADERS, aptFor, aptHint } from '../../domain/diagnosis/tables/system-libraries.ts';
import { normalizeName } from '../detect/requirements-file.ts';
import { whereOf, type InstallFailure } from './evidence.ts';

const LACKS: readonly [RegExp, (match: RegExpExecArray) => string][] = [
  [/fatal error: ([\w./-]+\.h): No such file/, (match) => `the header ${match[1]} is missing`],
  [
    /(?:Unable to find|No such file or directory: ')(?:a )?\b(gcc|cc|c\+\+|g\+\+|clang)\b/,
    (match) => `the compiler ${match[1]} is missing`,
  ],
  [
    /error: command '([\w/+-]*(?:gcc|cc|g\+\+|clang))' failed: No such file/,
    (match) => `the compiler ${match[1]} is missing`,
  ],
  [
    /(?:command not found|No such file or directory)[^\n]*\b(rustc|cargo|cmake|ninja|gfortran|pg_config|mysql_config|pkg-config)\b/,
    (match) => `the program ${match[1]} is missing`,
  ],
  [
    /\b(pg_config|mysql_config|cargo|rustc|cmake) (?:executable )?(?:is )?not found/,
    (match) => `the program ${match[1]} is missing`,
  ],
  [/(?:Can't find Rust compiler|requires Rust and Cargo)/, () => 'a Rust compiler is missing'],
  [
    /Can not find valid pkg-config name/,
    () => 'the headers of a library are missing (pkg-config found none)',
  ],
  [/No module named '([^']+)'/, (match) => `its build needs the module "${match[1]}"`],
  [/Git operation failed|Git executable not found/, () => 'its repository could not be fetched'],
];

export function failedBuild(failure: InstallFailure): ErrorBody | undefined {
  const said =
    /(?:Failed to (?:download and )?build `([^`]+)`|The build backend returned an error)/.exec(
      failure.logTail,
    );
  if (said === null) return undefined;
  // A path of the source has no name before its build says one.
  const path = failure.lines.find((line) => line.name === undefined && !line.text.startsWith('-'));
  const requirement = said[1] ?? path?.text ?? 'a package of the source';
  const name = normalizeName(/^[\w.-]+/.exec(requirement)?.[0] ?? requirement);
  const detail = failure.logTail.slice(said.index);
  const header = /fatal error: ([\w./-]+\.h): No such file/.exec(detail)?.[1] ?? programIn(detail);
  const apt = header === undefined ? undefined : aptFor(HEADERS, header);
  const wheel = `choose a version of ${name} that has wheels, or an older Python that it has them for: python = "3.10" in tandem.toml`;
  return {
    code: 'DEPENDENCY_BUILD_FAILED',
    message: `${requirement} has no wheel for this Python and could not be built: ${lackIn(detail)}.`,
    where: said[1] === undefined && path ? path.evidence : whereOf(failure, [name]),
    hint: apt === undefined ? wheel : `${aptHint(apt)}\nor ${wheel}`,
  };
}

/** Programs that come with the headers of their library. */
function programIn(detail: string): string | undefined {
  const program = /\b(pg_config|mysql_config)\b/.exec(detail)?.[1];
  return /mysqlclient|Can not find valid pkg-config name/.test(detail) ? 'mysql.h' : program;
}

function lackIn(detail: string): string {
  for (const [pattern, describe] of LACKS) {
    const match = pattern.exec(detail);
    if (match !== null) return describe(match);
  }
  const errors = detail.split('\n').filter((line) => /\b\w*(Error|Exception|error): \S/.test(line));
  return errors.at(-1)?.trim() ?? 'see the log';
}
