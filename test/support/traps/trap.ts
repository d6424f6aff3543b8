// A project that real ones taught us: small, with one trap in it, and what must come of it.
import type { Finding } from '../../../packages/platform/src/domain/release.ts';
import type { Files, Refusal } from '../standing-site.ts';

export interface Trap {
  /** As a sentence about the project. */
  readonly name: string;
  readonly files: Files;
  /** Set before the deploy. */
  readonly config?: Readonly<Record<string, string>>;
  /** Findings that the text alone must give; what is left out of one may be anything. */
  readonly finds: readonly (Pick<Finding, 'rule'> & Partial<Finding>)[];
  /** Either it answers ... */
  readonly answers?: {
    readonly path?: string;
    readonly status?: number;
    readonly text: RegExp;
  };
  /** ... or it is refused as said. */
  readonly refused?: Refusal;
  /** Deployed by `script/test` too, not by `--all` alone. */
  readonly quick?: true;
}
