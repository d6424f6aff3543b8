// One app: turns each of its routes into an answer. Its targets outlive changes of the table, so
// connections, health and the count of requests under way carry over.
import type { BalancerLimits } from '../domain/limits.ts';
import type { AppRoutes, Route, RouteTarget, Upstream } from '../domain/route-table.ts';
import { Canary } from './canary.ts';
import { clock } from './clock.ts';
import type { Drain } from './drain.ts';
import type { Exchange, ForwardOptions, Outcome, OutcomeListener } from './exchange.ts';
import { journeyOf } from './journey.ts';
import { LoadBalancer } from './load-balancer.ts';
import type { PolicySurroundings } from './policy/compile-policy.ts';
import { RoutePolicies } from './policy/route-policies.ts';
import * as refusal from './refusal.ts';
import {
  isStaticMethod,
  STATIC_METHODS,
  type StaticRoute,
  staticRewrite,
} from './static-target.ts';
import { Target } from './target.ts';
import { WaitingRoom } from './waiting-room.ts';

export interface ServiceSurroundings {
  readonly drain: Drain;
  /** Absent where no static server runs. */
  readonly staticServer: Target | undefined;
  readonly limits?: BalancerLimits;
  readonly policies: PolicySurroundings;
  /** By the table as it is now. */
  readonly routeAgain: (exchange: Exchange) => void;
}

const ANY_CONNECTION: ForwardOptions = { fresh: false };
const FRESH_CONNECTION: ForwardOptions = { fresh: true };

export class Service implements OutcomeListener {
  readonly appId: number;
  readonly #surroundings: ServiceSurroundings;
  readonly #room = new WaitingRoom();
  /** By what makes an upstream the same: see keyOf. */
  #targets = new Map<string, Target>();
  #balancers = new Map<Route, LoadBalancer>();
  #canaries = new Map<Route, Canary>();
  readonly #policies: RoutePolicies;

  constructor(appId: number, surroundings: ServiceSurroundings) {
    this.appId = appId;
    this.#surroundings = surroundings;
    this.#policies = new RoutePolicies(surroundings.policies, surroundings.routeAgain);
  }

  /** In one turn of the loop: after it no request starts on what `app` does not name. */
  update(app: AppRoutes): void {
    const before = this.#targets;
    this.#targets = new Map();
    this.#balancers = new Map();
    this.#canaries = new Map();
    this.#policies.update(app);
    for (const route of app.routes) {
      if (route.target.kind !== 'upstreams') continue;
      const { upstreams, canary } = route.target;
      const balance = (some: readonly Upstream[]): LoadBalancer =>
        new LoadBalancer(some.map((one) => this.#targetOf(one, before)));
      const main = balance(upstreams);
      this.#balancers.set(route, main);
      if (canary) this.#canaries.set(route, new Canary(canary, main, balance(canary.upstreams)));
    }
    for (const [key, target] of before)
      if (!this.#targets.has(key)) this.#surroundings.drain.add(target);
    this.#room.routesChanged();
  }

  /** Answers, or routes again; now or later. */
  serve(exchange: Exchange, route: Route): void {
    exchange.trace.appId = this.appId;
    if (this.#policies.any && !this.#policies.admits(exchange, route)) return;
    switch (route.target.kind) {
      case 'upstreams':
        return this.#serveUpstreams(exchange, route);
      case 'static':
      case 'volume':
        return this.#serveStatic(exchange, route as StaticRoute);
      case 'hold':
        return this.#hold(exchange, route.target.untilMs);
      case 'unavailable':
        return exchange.refuse(refusal.unavailable(route.target.reason));
    }
  }

  /** False: it would be refused for its body, whatever that is. */
  takesBody(exchange: Exchange, route: Route): boolean {
    return !this.#policies.any || this.#policies.takesBody(exchange, route);
  }

  onOutcome(exchange: Exchange, target: Target, outcome: Outcome): void {
    const isStatic = target === this.#surroundings.staticServer;
    if (!isStatic) noteHealth(target, exchange, outcome);
    if (outcome.kind === 'done') return;
    const journey = journeyOf(exchange);
    if (journey.mayGoOn(target, outcome)) {
      // There is one static server: it is tried again, not another one.
      if (isStatic && outcome.kind === 'not-sent') this.#waitForInstances(exchange);
      else this.#surroundings.routeAgain(exchange);
    } else if (outcome.kind === 'timeout') exchange.refuse(refusal.gatewayTimeout);
    else if (isStatic) exchange.refuse(refusal.badGateway('The static server did not answer.'));
    else exchange.refuse(refusal.badGateway(journey.lastReason));
  }

  #targetOf(upstream: Upstream, before: ReadonlyMap<string, Target>): Target {
    const key = keyOf(upstream);
    const target =
      this.#targets.get(key) ?? before.get(key) ?? Target.of(upstream, this.#surroundings.limits);
    this.#targets.set(key, target);
    return target;
  }

  #serveUpstreams(exchange: Exchange, route: Route): void {
    const isSplit = (route as UpstreamsRoute).target.canary !== undefined;
    const target = isSplit
      ? this.#canaries.get(route)?.choose(exchange)
      : this.#balancers.get(route)?.choose(exchange.journey?.tried);
    if (!target) return this.#waitForInstances(exchange);
    exchange.trace.instanceId = target.instanceId;
    const isRepeat = exchange.journey?.repeating === true;
    exchange.forward(target, isRepeat ? FRESH_CONNECTION : ANY_CONNECTION, this);
  }

  #waitForInstances(exchange: Exchange): void {
    const journey = journeyOf(exchange);
    const pauseMs = journey.nextRound();
    if (pauseMs === undefined) exchange.refuse(refusal.badGateway(journey.lastReason));
    else this.#wait(exchange, pauseMs);
  }

  #serveStatic(exchange: Exchange, route: StaticRoute): void {
    const { staticServer } = this.#surroundings;
    if (!isStaticMethod(exchange.method))
      return exchange.refuse(refusal.methodNotAllowed(STATIC_METHODS));
    if (!staticServer) return exchange.refuse(refusal.unavailable('No static server runs here.'));
    const rewrite = staticRewrite(exchange, route, this.appId);
    const fresh = exchange.journey?.repeating === true;
    exchange.forward(staticServer, { fresh, rewrite }, this);
  }

  #hold(exchange: Exchange, untilMs: number): void {
    const leftMs = untilMs - Date.now();
    if (leftMs <= 0) exchange.refuse(refusal.heldTooLong);
    else this.#wait(exchange, leftMs);
  }

  /** Routes again after a change of the routes, or `timeoutMs`. */
  #wait(exchange: Exchange, timeoutMs: number): void {
    void this.#room.wait(timeoutMs, exchange.ended).then((hadSeat) => {
      clock.tick();
      if (hadSeat) this.#surroundings.routeAgain(exchange);
      else exchange.refuse(refusal.tooManyWaiting);
    });
  }
}

type UpstreamsRoute = Route & {
  readonly target: Extract<RouteTarget, { readonly kind: 'upstreams' }>;
};

function noteHealth(target: Target, exchange: Exchange, outcome: Outcome): void {
  if (outcome.kind === 'done' && exchange.trace.upstreamMs !== undefined) target.health.succeeded();
  const failed = outcome.kind === 'not-sent' || (outcome.kind === 'no-response' && !outcome.stale);
  if (failed && !target.withdrawn) target.health.failed(clock.nowMs);
}

const keyOf = ({ instanceId, address, port, keepAliveMs }: Upstream): string =>
  `${instanceId} ${address} ${port} ${keepAliveMs ?? ''}`;
