// The contract of a deploy phase. A phase may be run again after the agent was killed in the middle
// of it: what it did before must be recognised and continued, never done twice.
import type { DeployPhase } from '@tandem/protocol';
import type { NexusContext } from '../context.ts';
import type { AppDocument, DeployDocument } from '../documents/schemas.ts';
import type { Channel } from './deploy-events.ts';
import type { InstanceKeeper } from './instance-keeper.ts';
import type { RoutePublisher } from './route-publisher.ts';

export interface PhaseInput {
  readonly context: NexusContext;
  readonly keeper: InstanceKeeper;
  readonly routes: RoutePublisher;
  readonly app: AppDocument;
  readonly deploy: DeployDocument;
  readonly events: Channel;
  /** Fires when the deploy is cancelled; its reason is a TandemError. */
  readonly signal: AbortSignal;
}

export interface PhaseOutcome {
  /** For the progress line: "dependencies 9f31c2, 32 packages". */
  readonly detail: string;
  readonly skipped?: boolean;
  /** Written to the deploy document together with the phase's time. */
  readonly patch?: Partial<DeployDocument>;
}

export interface Phase {
  readonly name: DeployPhase;
  run(input: PhaseInput): Promise<PhaseOutcome>;
}
