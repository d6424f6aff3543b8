// What a diagnosis is made from: the end of a log, how the process ended, what was asked of it.
import type { ErrorBody } from '@tandem/protocol';

export interface DiagnosisInput {
  /** `build`: imported to be prepared; `start`: a process or job; `probe`: it answered wrongly. */
  readonly phase: 'build' | 'start' | 'probe';
  readonly exit?: { readonly code: number; readonly outOfMemory: boolean };
  /** Plain text, the newest last; the first line may be cut. */
  readonly logTail: string;
  /** What was seen from outside; the log may say why. */
  readonly symptom?: Pick<ErrorBody, 'code' | 'message'>;
  /** Host that a probe asked for. */
  readonly host?: string;
  /** Limit of the process, for messages. */
  readonly memoryBytes?: number;
  /** Settings module of a Django app, as the project calls it. */
  readonly settingsModule?: string;
  /** Distributions (PEP 503 names) that only development groups of the project name. */
  readonly developmentOnly?: readonly string[];
}

/** A cause this rule recognises, or undefined. Pure. */
export type DiagnosisRule = (input: DiagnosisInput) => ErrorBody | undefined;
