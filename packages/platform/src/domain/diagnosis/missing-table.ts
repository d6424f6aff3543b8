// A query for a table that does not exist: made too early, while the project is imported, or never
// made because its migrations are not run.
import type { Cause, DiagnosisInput } from './evidence.ts';
import { lastTraceback, projectWhere, type Traceback } from './traceback.ts';

const TABLE = [
  /relation "([\w.]+)" does not exist/,
  /no such table: ([\w.]+)/,
  /Table '([\w.]+)' doesn't exist/,
];
/** Parts of Django and of servers that only run once requests are answered. */
const REQUEST = /\/(?:django\/core\/handlers|flask\/app\.py|starlette\/|werkzeug\/serving)/;

export function missingTable(input: DiagnosisInput): Cause | undefined {
  const traceback = lastTraceback(input.logTail);
  const table = TABLE.map((one) => one.exec(traceback?.message ?? '')?.[1]).find(Boolean);
  if (traceback === undefined || table === undefined) return undefined;
  const early = input.phase === 'build' || !isInRequest(traceback);
  return {
    code: 'TABLE_MISSING',
    message: early
      ? `The project queries the table "${table}" while it is imported, before any migration ran.`
      : `The table "${table}" does not exist.`,
    where: projectWhere(traceback),
    hint: early ? EARLY : laterHint(input),
  };
}

const EARLY =
  'query it inside a function that runs later: a form field takes queryset lazily, a setting a callable';

function laterHint({ settingsModule }: DiagnosisInput): string {
  if (settingsModule !== undefined) {
    return 'python manage.py makemigrations     (commit what it writes, then: tandem deploy)';
  }
  return 'make the tables in the release phase, in tandem.toml:\nrelease = ["flask db upgrade"]     (or "alembic upgrade head")';
}

function isInRequest({ frames }: Traceback): boolean {
  return frames.some(({ file }) => REQUEST.test(file));
}
