// One request on its way through Router -> Service -> LoadBalancer -> Target. The chain decides and
// knows nothing of sockets; an exchange carries out what it decided and says how that went.
import type { Treatment } from './answer-changes.ts';
import type { ClientOrigin } from './client-origin.ts';
import type { Journey } from './journey.ts';
import type { AdmissionPolicy } from './policy/admission.ts';
import type { Refusal } from './refusal.ts';
import type { Target } from './target.ts';

export interface Exchange {
  readonly requestId: string;
  readonly method: string;
  /** As the route table spells it; undefined when the request names no valid host. */
  readonly host: string | undefined;
  /** Without the query. */
  readonly path: string;
  /** With it; `*` for OPTIONS alone. */
  readonly target: string;
  readonly origin: ClientOrigin;
  /** Field of the request by lower-case name. */
  header(name: string): string | undefined;
  /** Repeating it has no further effect, and all of it is at hand to be sent again. */
  readonly repeatable: boolean;
  /** The client went away, or the answer is complete. */
  readonly isEnded: boolean;
  /** Fires then; made when it is first asked for. */
  readonly ended: AbortSignal;
  readonly trace: Trace;
  /** What it has tried so far; none while nothing failed. */
  journey: Journey | undefined;
  /** How its route wants it and its answer changed. */
  treatment: Treatment | undefined;
  /** Policies that let it pass: they are not asked again when it is routed again. */
  passed: Set<AdmissionPolicy> | undefined;
  /** By which it was sent to one of two groups of upstreams; from 0 to below 1. */
  draw: number | undefined;
  /** Refuses more of its body than that; false: it is known to be longer. */
  limitBody(bytesMax: number): boolean;
  /** Ends it with an answer of our own; nothing of another answer was sent before. */
  refuse(refusal: Refusal): void;
  /** Sends it to `target` and tells `listener` once what came of that. */
  forward(target: Target, options: ForwardOptions, listener: OutcomeListener): void;
}

export interface ForwardOptions {
  /** Forbids a connection used before. */
  readonly fresh: boolean;
  readonly rewrite?: Rewrite;
}

export interface OutcomeListener {
  onOutcome(exchange: Exchange, target: Target, outcome: Outcome): void;
}

/** What the access record tells of the way taken. */
export interface Trace {
  appId: number | undefined;
  instanceId: string | undefined;
  upstreamMs: number | undefined;
}

export type Outcome =
  /** An answer was handed on, as far as both ends allowed. */
  | { readonly kind: 'done' }
  /** Nothing reached the instance: whoever comes next may take it, whatever the method. */
  | { readonly kind: 'not-sent'; readonly reason: string }
  /**
   * It may have reached the instance, and no answer came back that could be passed on. `stale`: on a
   * connection used before, so that says little of the instance. `reset`: the kernel of the other
   * end gave up the connection, as it does with what no process has read.
   */
  | {
      readonly kind: 'no-response';
      readonly reason: string;
      readonly stale: boolean;
      readonly reset: boolean;
    }
  | { readonly kind: 'timeout' };

export const DONE: Outcome = { kind: 'done' };
export const TIMEOUT: Outcome = { kind: 'timeout' };

/** Replaces what the client asked for, for upstreams that are our own. */
export interface Rewrite {
  readonly path: string;
  /** The complete head: name, value, name, value ... */
  readonly headers: readonly string[];
}
