// A command of the CLI as data, so that help, reference and parsing come from one table.
import type { Session } from './session.ts';

export type Term = readonly [syntax: string, meaning: string];

/** Values as commander parses them; each verb names the ones it declares. */
export type Options = Readonly<Record<string, string | boolean | string[] | undefined>>;

export interface Invocation {
  readonly session: Session;
  readonly args: readonly string[];
  readonly options: Options;
}

export interface Verb {
  readonly name: string;
  readonly summary: string;
  /** `app`: needs to know which app; `platform`: needs the platform only; `local`: neither; `none`: has only its own options. */
  readonly scope: 'app' | 'platform' | 'local' | 'none';
  readonly args?: readonly Term[];
  readonly options?: readonly Term[];
  readonly examples?: readonly string[];
  /** Everything after the first argument belongs to another command. */
  readonly passThrough?: boolean;
  readonly children?: readonly Verb[];
  /** Resolves with the exit status when it is not 0. */
  run(invocation: Invocation): Promise<number | void>;
}
