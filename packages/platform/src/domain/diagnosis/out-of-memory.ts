// The kernel killed a process at the memory limit of its sandbox.
import type { Cause, DiagnosisInput } from './evidence.ts';
import { lastTraceback } from './traceback.ts';

const MIB = 1024 * 1024;

/** Gunicorn's words when the kernel killed one of its workers, and Python's when it got no more. */
const SAID = /was sent SIGKILL! Perhaps out of memory\?/;

export function outOfMemory(input: DiagnosisInput): Cause | undefined {
  const isSaid = SAID.test(input.logTail) || lastTraceback(input.logTail)?.type === 'MemoryError';
  if (input.exit?.outOfMemory !== true && !isSaid) return undefined;
  const limit = input.memoryBytes === undefined ? '' : ` of ${input.memoryBytes / MIB} MiB`;
  const what = input.phase === 'build' ? 'The build' : 'A process';
  return {
    code: 'OUT_OF_MEMORY',
    message: `${what} was killed because it reached its memory limit${limit}.`,
    hint:
      input.phase === 'build' ? 'find what imports or compiles so much' : 'tandem scale web=:1G',
  };
}
