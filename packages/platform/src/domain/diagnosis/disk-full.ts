// A write that found no room: sandboxed processes have disks of their own, with limits.
import type { ErrorBody } from '@tandem/protocol';
import { LIMITS } from '../limits.ts';
import type { DiagnosisInput } from './evidence.ts';
import { lastTraceback, projectWhere } from './traceback.ts';

const NO_SPACE = /\[Errno 28\]|No space left on device|\[Errno 122\]|Disk quota exceeded/;
const MIB = 1024 * 1024;

export function diskFull(input: DiagnosisInput): ErrorBody | undefined {
  const traceback = lastTraceback(input.logTail);
  if (traceback === undefined || !NO_SPACE.test(traceback.message)) return undefined;
  const tmp = `/tmp holds ${LIMITS.instance.tmpBytes / MIB} MiB`;
  const project = `the project may grow to ${LIMITS.build.diskBytes / MIB / 1024} GiB`;
  const isBuild = input.phase === 'build';
  return {
    code: 'DISK_FULL',
    message: isBuild ? 'A disk of the build is full.' : 'The disk of a process is full.',
    where: projectWhere(traceback),
    hint: `write less there: ${isBuild ? `${project}, ` : ''}${tmp}`,
  };
}
