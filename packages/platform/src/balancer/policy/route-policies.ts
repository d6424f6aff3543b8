// The policies of one app's routes, compiled when its routes change. What counts or remembers goes on
// where its part of the policy stayed the same.
import { policyOf, type RoutePolicy } from '../../domain/route-policy.ts';
import type { AppRoutes, Route } from '../../domain/route-table.ts';
import type { Exchange } from '../exchange.ts';
import { admit } from './admission.ts';
import { type CompiledPolicy, compilePolicy, type PolicySurroundings } from './compile-policy.ts';

export class RoutePolicies {
  readonly #surroundings: PolicySurroundings;
  readonly #routeAgain: (exchange: Exchange) => void;
  #compiled = new Map<Route, CompiledPolicy>();
  /** By key and configuration. */
  #kept = new Map<string, unknown>();

  constructor(surroundings: PolicySurroundings, routeAgain: (exchange: Exchange) => void) {
    this.#surroundings = surroundings;
    this.#routeAgain = routeAgain;
  }

  /** Some route has one: the others are worth no look. */
  get any(): boolean {
    return this.#compiled.size > 0;
  }

  update({ routes, policy: common }: AppRoutes): void {
    const before = this.#kept;
    this.#kept = new Map();
    this.#compiled = new Map();
    /** Routes that share a policy share what it counts. */
    const made = new Map<RoutePolicy | undefined, CompiledPolicy>();
    for (const route of routes) {
      const known = made.get(route.policy);
      const policy = known ? undefined : policyOf(common, route.policy);
      const compiled = known ?? (policy && this.#compile(policy, before));
      if (!compiled || isIdle(compiled)) continue;
      made.set(route.policy, compiled);
      this.#compiled.set(route, compiled);
    }
  }

  /** True: it may go on to its target now. Else it was answered, or is routed again later. */
  admits(exchange: Exchange, route: Route): boolean {
    const policy = this.#compiled.get(route);
    if (policy === undefined) return true;
    if (!admit(exchange, policy.admission, this.#routeAgain)) return false;
    exchange.treatment = policy.treatmentOf?.(exchange);
    return true;
  }

  takesBody(exchange: Exchange, route: Route): boolean {
    const limit = this.#compiled.get(route)?.bodyLimit;
    return limit === undefined || exchange.limitBody(limit.bytesMax);
  }

  #compile(policy: RoutePolicy, before: ReadonlyMap<string, unknown>): CompiledPolicy {
    return compilePolicy(policy, this.#surroundings, (key, config, make) => {
      const name = `${key} ${JSON.stringify(config)}`;
      const kept = (this.#kept.get(name) ?? before.get(name) ?? make()) as ReturnType<typeof make>;
      this.#kept.set(name, kept);
      return kept;
    });
  }
}

/** It asks for nothing. */
const isIdle = ({ admission, treatmentOf }: CompiledPolicy): boolean =>
  admission.length === 0 && treatmentOf === undefined;
