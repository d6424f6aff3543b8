// Migrations that contradict each other, or what the database has applied already.
import type { Cause, DiagnosisInput } from './evidence.ts';

interface Conflict {
  readonly says: RegExp;
  readonly message: (match: RegExpExecArray) => string;
  readonly hint: (match: RegExpExecArray) => string;
}

const CONFLICTS: readonly Conflict[] = [
  {
    says: /Conflicting migrations detected; multiple leaf nodes in the migration graph: \(([^)]+)\)/,
    message: ([, names]) => `Two migrations follow the same one: ${names}.`,
    hint: () => 'python manage.py makemigrations --merge     (and commit the file that it writes)',
  },
  {
    says: /Migration ([\w.]+) is applied before its dependency ([\w.]+) on database/,
    message: ([, applied, dependency]) =>
      `The database has ${applied} applied, but not ${dependency}, which it needs first.`,
    hint: ([, , dependency = '']) =>
      `when its tables exist already: tandem run -- python manage.py migrate --fake ${dependency.replace('.', ' ')}\n` +
      'else begin with an empty database: the history of migrations was changed after they ran',
  },
  {
    says: /Migration ([\w.]+) dependencies reference nonexistent parent node \('([^']+)', '([^']+)'\)/,
    message: ([, from, app, name]) => `Migration ${from} needs ${app}.${name}, which is not there.`,
    hint: ([, , app, name]) =>
      `add ${app}/migrations/${name}.py to the source; is it ignored? git check-ignore -v ${app}/migrations/${name}.py`,
  },
  {
    says: /Multiple head revisions are present for given argument 'heads?'/,
    message: () => 'Alembic finds several newest revisions.',
    hint: () => 'alembic merge heads -m merge     (or flask db merge heads; commit the new file)',
  },
  {
    says: /Can't locate revision identified by '(\w+)'/,
    message: ([, revision]) => `The database is at revision ${revision}, which the source lacks.`,
    hint: () => 'add the file of that revision to the source, or deploy the version that has it',
  },
  {
    says: /column "([^"]+)" of relation "([^"]+)" already exists/,
    message: ([, column, table]) => `Column ${column} of ${table} exists before its migration ran.`,
    hint: () => 'tandem run -- python manage.py migrate APP NAME --fake     (the one that adds it)',
  },
  {
    says: /DuplicateTable\)?:? relation "([^"]+)" already exists|ProgrammingError: relation "([^"]+)" already exists/,
    message: (match) => `Table ${match[1] ?? match[2]} exists before its migration ran.`,
    hint: () => 'tandem run -- python manage.py migrate --fake-initial',
  },
];

export function migrationConflict({ logTail }: DiagnosisInput): Cause | undefined {
  for (const { says, message, hint } of CONFLICTS) {
    const match = says.exec(logTail);
    if (match === null) continue;
    return {
      code: 'MIGRATION_CONFLICT',
      message: message(match),
      hint: hint(match),
      said: match[0],
    };
  }
  return undefined;
}
