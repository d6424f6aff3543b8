// What the parts of one build work with.
import type { BuildSession } from './build-session.ts';
import type { BuilderOptions } from './collaborators.ts';
import type { SourceTree } from './detect/source-tree.ts';
import type { BuildGround } from './system-packages/build-ground.ts';

export interface BuildContext {
  readonly options: BuilderOptions;
  readonly session: BuildSession;
  readonly tree: SourceTree;
  readonly ground: BuildGround;
  /** Runs what never runs a project's code. */
  readonly sharedUid: number;
  /** Keeps work that goes on from ending the agent, or from outliving the disk of the build. */
  readonly inBackground: <T>(work: Promise<T>) => Promise<T>;
}
