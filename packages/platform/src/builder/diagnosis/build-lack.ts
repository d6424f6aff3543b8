// What a build of a package said that it lacks, and the system packages that bring it.
import { HEADERS, aptFor, aptHint } from '../../domain/diagnosis/tables/system-libraries.ts';

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
];

export function lackIn(detail: string): string {
  for (const [pattern, describe] of LACKS) {
    const match = pattern.exec(detail);
    if (match !== null) return describe(match);
  }
  const errors = detail.split('\n').filter((line) => /\b\w*(Error|Exception|error): \S/.test(line));
  return errors.at(-1)?.trim() ?? 'see the log';
}

/** `otherwise`, after the package of the system that would mend it, when one is known. */
export function aptBefore(otherwise: string, detail: string): string {
  const header = /fatal error: ([\w./-]+\.h): No such file/.exec(detail)?.[1] ?? programIn(detail);
  const apt = header === undefined ? undefined : aptFor(HEADERS, header);
  return apt === undefined ? otherwise : `${aptHint(apt)}\nor ${otherwise}`;
}

/** Programs that come with the headers of their library. */
function programIn(detail: string): string | undefined {
  const program = /\b(pg_config|mysql_config)\b/.exec(detail)?.[1];
  return /mysqlclient|Can not find valid pkg-config name/.test(detail) ? 'mysql.h' : program;
}
