// One request on its way through Router -> Service -> LoadBalancer -> Target, and the interface that
// moves its bytes. The chain decides and knows nothing of sockets; a Forwarder moves and decides
// nothing.
import type { Target } from './target.ts';
import type { Refusal } from './refusal.ts';

export interface Exchange {
  readonly requestId: string;
  readonly method: string;
  /** As the route table spells it; undefined when the request names no valid host. */
  readonly host: string | undefined;
  /** Without the query. */
  readonly path: string;
  /** Header of the request by lower-case name. */
  header(name: string): string | undefined;
  /** Repeating it has no further effect, and all of it is at hand to be sent again. */
  readonly repeatable: boolean;
  /** Fires when the client went away, or when the answer is complete. */
  readonly ended: AbortSignal;
  readonly trace: Trace;
  /** Ends it with an answer of our own; nothing of another answer was sent before. */
  refuse(refusal: Refusal): void;
}

/** What the access record tells of the way taken. */
export interface Trace {
  appId?: number;
  instanceId?: string;
  upstreamMs?: number;
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

/** Replaces what the client asked for, for upstreams that are our own. */
export interface Rewrite {
  readonly path: string;
  /** The complete head: name, value, name, value ... */
  readonly headers: readonly string[];
}

export interface Forwarder {
  /**
   * Never rejects. `fresh` forbids a connection used before. Must not send to a target that was
   * withdrawn while it connected: 'not-sent' then.
   */
  forward(
    target: Target,
    options: { readonly fresh: boolean; readonly rewrite?: Rewrite },
  ): Promise<Outcome>;
}
