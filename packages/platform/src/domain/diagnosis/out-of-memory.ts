// The kernel killed a process at the memory limit of its sandbox.
import type { ErrorBody } from '@tandem/protocol';
import type { DiagnosisInput } from './evidence.ts';

const MIB = 1024 * 1024;

export function outOfMemory(input: DiagnosisInput): ErrorBody | undefined {
  if (input.exit?.outOfMemory !== true) return undefined;
  const limit = input.memoryBytes === undefined ? '' : ` of ${input.memoryBytes / MIB} MiB`;
  const what = input.phase === 'build' ? 'The build' : 'A process';
  return {
    code: 'OUT_OF_MEMORY',
    message: `${what} was killed because it reached its memory limit${limit}.`,
    hint:
      input.phase === 'build' ? 'find what imports or compiles so much' : 'tandem scale web=:1G',
  };
}
