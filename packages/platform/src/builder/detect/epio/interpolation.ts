// `%(name)s` in values of epio.ini: keys of the same section, of [DEFAULT], and what the old system
// filled in. What has no counterpart here stays in the value, for its section to name.
import { DATA_DIRECTORY } from './data-directory.ts';
import type { Statement } from './ini-file.ts';
import { invalid } from './invalid.ts';

/** What the old system knew and this one does not have: its values are found by the braces. */
export const FOREIGN_NAMES = ['unix_sock', 'django_admin_media'] as const;
type ForeignName = (typeof FOREIGN_NAMES)[number];

const FILLED_IN: Readonly<Record<string, string>> = {
  data_directory: DATA_DIRECTORY,
  // Expanded by the shell that starts a process.
  port: '$PORT',
  app_id: '$TANDEM_APP',
  ...Object.fromEntries(FOREIGN_NAMES.map((name) => [name, foreign(name)])),
};
const REFERENCE = /%%|%\(([^)]*)\)s/g;
/** Bounds the work of values that refer to values that refer to values. */
const REFERENCES_MAX = 200;

export function foreign(name: ForeignName): string {
  return `{${name}}`;
}

export function interpolate(
  statement: Statement,
  known: Readonly<Record<string, string>>,
): Statement {
  let references = 0;
  const expand = (value: string): string =>
    value.replace(REFERENCE, (reference, name?: string) => {
      if (name === undefined) return '%';
      references += 1;
      if (references > REFERENCES_MAX) {
        throw invalid(statement.line, `"${reference}" leads round in circles`);
      }
      const own = known[name];
      return own === undefined ? filledIn(name, reference, statement.line) : expand(own);
    });
  return { ...statement, value: expand(statement.value) };
}

function filledIn(name: string, reference: string, line: number): string {
  const value = FILLED_IN[name];
  if (value !== undefined) return value;
  const names = Object.keys(FILLED_IN).join(', ');
  throw invalid(line, `"${reference}" names nothing`, `names filled in: ${names}`);
}
