// What a diagnosis is made from: the end of a log, how the process ended, what was asked of it, and
// what is known of the project.
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
  /** Where the process's command is named: `Procfile:1 web: gunicorn app`. */
  readonly command?: string;
  /** Full version of the app's interpreter. */
  readonly pythonVersion?: string | undefined;
  /** Distributions (PEP 503 names) that only development groups of the project name; '' for a file. */
  readonly developmentOnly?: Readonly<Record<string, string>>;
  /** Versions of the distributions that are installed, by their PEP 503 names. */
  readonly installed?: Readonly<Record<string, string>>;
  /** Variables that the settings read without a default and that nobody set, with the rest known. */
  readonly requiredVariables?: readonly string[];
  /** Modules of the source by their last name, with the directory each lies in ('' is the top). */
  readonly ownModules?: Readonly<Record<string, string>>;
  /** Python files that .gitignore names, so that they never reach the platform. */
  readonly ignoredFiles?: readonly string[];
  /** Files that are not there, with the one to be copied to each: `x_example.py`, `x.py.dist`. */
  readonly templates?: Readonly<Record<string, string>>;
  /** Directories of git submodules that came empty. */
  readonly emptySubmodules?: readonly string[];
}

/** `said`: the text of the log that gives the cause away, when it is not the last traceback. */
export type Cause = ErrorBody & { readonly said?: string | undefined };

/** A cause this rule recognises, or undefined. Pure. */
export type DiagnosisRule = (input: DiagnosisInput) => Cause | undefined;
