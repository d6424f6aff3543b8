// A write into the release itself: its files are the same for every instance, and read-only.
import type { ErrorBody } from '@tandem/protocol';
import type { DiagnosisInput } from './evidence.ts';
import { lastTraceback, projectWhere } from './traceback.ts';

const READ_ONLY = /\[Errno 30\] Read-only file system: '([^']+)'/;

export function readOnly(input: DiagnosisInput): ErrorBody | undefined {
  const traceback = lastTraceback(input.logTail);
  const [, path] = READ_ONLY.exec(traceback?.message ?? '') ?? [];
  if (traceback === undefined || path === undefined) return undefined;
  return {
    code: 'READ_ONLY',
    message: `The application writes "${path}", but the files of a release are read-only.`,
    where: projectWhere(traceback),
    hint: 'write below /tmp what may go with the process, and into the database what must last',
  };
}
