// A write into the release itself: its files are the same for every instance, and read-only.
import { dirname, extname } from 'node:path/posix';
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
    hint: hintFor(path),
  };
}

/** A new file cannot be put on the volume by name, the directory it is for can. */
function hintFor(path: string): string {
  const relative = path.replace(/^\/app\//, '');
  const directory = extname(relative) === '' ? relative : dirname(relative);
  const scratch = 'write below /tmp what may go with the process';
  if (directory === '.' || /[^\w./@-]/.test(directory)) {
    return `write what must last into a directory of its own, and name it in tandem.toml: [volume] paths = ["data"]\n${scratch}`;
  }
  return `keep it over releases, in tandem.toml: [volume] paths = ["${directory}"]\n${scratch}`;
}
