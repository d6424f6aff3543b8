// Tells a full disk (or quota) from every other failure, of our own calls and of children.
import { CommandFailed } from './run-command.ts';

const CODES: ReadonlySet<unknown> = new Set(['ENOSPC', 'EDQUOT']);
/** What strerror(3) says in the C locale that runCommand sets. */
const MESSAGES = ['No space left on device', 'Disk quota exceeded'];

export function isDiskFull(error: unknown): boolean {
  if (error instanceof CommandFailed) {
    return MESSAGES.some((message) => error.result.stderr.includes(message));
  }
  if (!(error instanceof Error)) return false;
  return CODES.has((error as NodeJS.ErrnoException).code) || isDiskFull(error.cause);
}
