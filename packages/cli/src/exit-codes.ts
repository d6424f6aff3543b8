// What the exit status of `tandem` says; the reference is generated from this table.
import { hasCode, toTandemError, type ErrorCode } from '@tandem/protocol';

export const EXIT = {
  ok: 0,
  userError: 1,
  usage: 2,
  unreachable: 69,
  platformDefect: 70,
  interrupted: 130,
} as const;

export const EXIT_MEANINGS: readonly (readonly [number, string])[] = [
  [EXIT.ok, 'Done. For a deploy: the release is live.'],
  [
    EXIT.userError,
    'Refused or failed for a reason that the user can mend; the error names it. Also: `tandem status` of an unhealthy platform, `tandem doctor` with a failed check.',
  ],
  [EXIT.usage, 'The command line is not understood; nothing was done.'],
  [EXIT.unreachable, 'The platform does not answer.'],
  [EXIT.platformDefect, 'A defect of the platform, for its operator.'],
  [129, 'Ended by a hang-up (SIGHUP).'],
  [EXIT.interrupted, 'Ended by Ctrl-C, or a deploy was cancelled or left running by it.'],
  [143, 'Ended by SIGTERM.'],
];

const USAGE_CODES: readonly ErrorCode[] = ['USAGE', 'APP_NOT_CHOSEN'];

export function exitCodeOf(thrown: unknown): number {
  if (hasCode(thrown, 'PLATFORM_UNREACHABLE')) return EXIT.unreachable;
  if (hasCode(thrown, 'CANCELLED')) return EXIT.interrupted;
  if (USAGE_CODES.some((code) => hasCode(thrown, code))) return EXIT.usage;
  return toTandemError(thrown).kind === 'user' ? EXIT.userError : EXIT.platformDefect;
}
