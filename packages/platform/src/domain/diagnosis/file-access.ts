// A file or directory that the project may not open, or that is not there.
import type { Cause, DiagnosisInput } from './evidence.ts';
import { copyTemplate } from './missing-template.ts';
import { causeOfLast, lastTraceback, projectWhere } from './traceback.ts';

const DENIED = /\[Errno 13\] Permission denied: '([^']+)'/;
const ABSENT = /\[Errno 2\] No such file or directory: '(\/[^']+)'/;
const SQLITE = /unable to open database file|attempt to write a readonly database/;

export function fileAccess(input: DiagnosisInput): Cause | undefined {
  const { logTail } = input;
  const last = lastTraceback(logTail);
  // The configuration of logging wraps what its handlers raise.
  const wrapped = /^Unable to configure handler/.test(last?.message ?? '');
  const traceback = wrapped ? (causeOfLast(logTail) ?? last) : last;
  if (traceback === undefined) return undefined;
  const where = projectWhere(traceback);
  if (SQLITE.test(traceback.message)) {
    return {
      code: 'READ_ONLY',
      message: 'SQLite cannot write its file: the files of a release are read-only.',
      where,
      hint: 'let the project read DATABASE_URL: database = true in tandem.toml gives it PostgreSQL',
    };
  }
  const denied = DENIED.exec(traceback.message)?.[1];
  if (denied !== undefined) {
    return {
      code: 'PERMISSION_DENIED',
      message: `The application may not open "${denied}".`,
      where,
      hint: 'write logs to the standard output, temporary files below /tmp, what must last to a volume',
    };
  }
  const absent = ABSENT.exec(traceback.message)?.[1];
  return absent === undefined ? undefined : absentFile(absent, where, input);
}

function absentFile(path: string, where: string | undefined, input: DiagnosisInput): Cause {
  const ignored = input.ignoredFiles ?? [];
  const own = path.startsWith('/app/') ? path.slice('/app/'.length) : path;
  const name = own.slice(own.lastIndexOf('/') + 1);
  const isLog = /\.log$|(^|\/)logs?\//.test(own);
  const isIgnored = ignored.includes(name) || ignored.includes(own);
  const because = isIgnored ? ': .gitignore names it, so it was never sent' : '';
  return {
    code: 'FILE_MISSING',
    message: `The application opens "${own}", which does not exist${because}.`,
    where,
    hint: isLog
      ? 'log to the standard output (tandem logs shows it), or commit its directory with a .gitkeep'
      : (copyTemplate(path, input) ??
        `put its values into variables: tandem config set --secret NAME=VALUE\nor add the file to the source: git check-ignore -v ${own}`),
  };
}
