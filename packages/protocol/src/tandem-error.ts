// The one error class. Match on `code`, never on text.
import { ERROR_CODES, isErrorCode, type ErrorCode, type ErrorKind } from './error-codes.ts';

export interface ErrorDetails {
  /** File and line in the user's project, config key or other place the error comes from. */
  readonly where?: string | undefined;
  /** The smallest change that mends it, as commands or edits, one a line. */
  readonly hint?: string | undefined;
  /** Where to read more: usually a `tandem logs` command. */
  readonly log?: string | undefined;
  readonly cause?: unknown;
}

/** The form of an error in control API answers and in the state store. */
export interface ErrorBody {
  readonly code: ErrorCode;
  readonly message: string;
  readonly where?: string | undefined;
  readonly hint?: string | undefined;
  readonly log?: string | undefined;
}

export class TandemError extends Error {
  readonly code: ErrorCode;
  readonly where: string | undefined;
  readonly hint: string | undefined;
  readonly log: string | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'TandemError';
    this.code = code;
    this.where = details.where;
    this.hint = details.hint;
    this.log = details.log;
  }

  get kind(): ErrorKind {
    return ERROR_CODES[this.code].kind;
  }

  toBody(): ErrorBody {
    return {
      code: this.code,
      message: this.message,
      ...(this.where === undefined ? {} : { where: this.where }),
      ...(this.hint === undefined ? {} : { hint: this.hint }),
      ...(this.log === undefined ? {} : { log: this.log }),
    };
  }

  static fromBody(body: { code: string; message: string } & Partial<ErrorBody>): TandemError {
    const code = isErrorCode(body.code) ? body.code : 'INTERNAL';
    return new TandemError(code, body.message, body);
  }
}

/** Any thrown value as a TandemError; what is not one already is a defect of ours (`INTERNAL`). */
export function toTandemError(thrown: unknown): TandemError {
  if (thrown instanceof TandemError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new TandemError('INTERNAL', message, { cause: thrown });
}

export function hasCode(thrown: unknown, code: ErrorCode): boolean {
  return thrown instanceof TandemError && thrown.code === code;
}
