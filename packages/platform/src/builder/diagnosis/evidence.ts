// What the causes of a failed install are read from.
import type { ErrorBody } from '@tandem/protocol';
import type { DeclaredIndex } from '../detect/dependencies/declared-indexes.ts';
import type { RequirementLine } from '../detect/requirements-file.ts';

export interface InstallFailure {
  /** What the resolver or installer said, plain text, newest last. */
  readonly logTail: string;
  /** File that it was given, as the user knows it. */
  readonly file: string;
  /** Requirements as written, to point at the line. */
  readonly lines: readonly RequirementLine[];
  /** That the project names itself. */
  readonly indexes?: readonly DeclaredIndex[];
}

export type InstallRule = (failure: InstallFailure) => ErrorBody | undefined;

/** `file:line` of the first of these names, or the file. */
export function whereOf(failure: InstallFailure, names: readonly string[]): string {
  const line = failure.lines.find((one) => one.name !== undefined && names.includes(one.name));
  return line?.evidence ?? failure.file;
}
