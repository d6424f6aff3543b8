// One app: turns each of its routes into an answer. Its targets outlive changes of the table, so
// connections, health and the count of requests under way carry over.
import type { AppRoutes, Route, Upstream } from '../domain/route-table.ts';
import type { Drain } from './drain.ts';
import type { Exchange, Forwarder, Outcome } from './exchange.ts';
import type { Journey } from './journey.ts';
import { LoadBalancer } from './load-balancer.ts';
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
}

export class Service {
  readonly appId: number;
  readonly #surroundings: ServiceSurroundings;
  readonly #room = new WaitingRoom();
  /** By what makes an upstream the same: see keyOf. */
  #targets = new Map<string, Target>();
  #balancers = new Map<Route, LoadBalancer>();

  constructor(appId: number, surroundings: ServiceSurroundings) {
    this.appId = appId;
    this.#surroundings = surroundings;
  }

  /** In one turn of the loop: after it no request starts on what `app` does not name. */
  update(app: AppRoutes): void {
    const before = this.#targets;
    this.#targets = new Map();
    this.#balancers = new Map();
    for (const route of app.routes) {
      if (route.target.kind !== 'upstreams') continue;
      const targets = route.target.upstreams.map((one) => this.#targetOf(one, before));
      this.#balancers.set(route, new LoadBalancer(targets));
    }
    for (const [key, target] of before)
      if (!this.#targets.has(key)) this.#surroundings.drain.add(target);
    this.#room.routesChanged();
  }

  async serve(
    journey: Journey,
    route: Route,
    forwarder: Forwarder,
  ): Promise<'answered' | 'route-again'> {
    const { exchange } = journey;
    exchange.trace.appId = this.appId;
    switch (route.target.kind) {
      case 'upstreams':
        return await this.#serveUpstreams(journey, route, forwarder);
      case 'static':
      case 'volume':
        return await this.#serveStatic(journey, route as StaticRoute, forwarder);
      case 'hold':
        return await this.#hold(exchange, route.target.untilMs);
      case 'unavailable':
        return refuse(exchange, refusal.unavailable(route.target.reason));
    }
  }

  #targetOf(upstream: Upstream, before: ReadonlyMap<string, Target>): Target {
    const key = keyOf(upstream);
    const target = this.#targets.get(key) ?? before.get(key) ?? Target.of(upstream);
    this.#targets.set(key, target);
    return target;
  }

  async #serveUpstreams(
    journey: Journey,
    route: Route,
    forwarder: Forwarder,
  ): Promise<'answered' | 'route-again'> {
    const { exchange } = journey;
    const target = this.#balancers.get(route)?.choose(journey.tried);
    if (!target) return await this.#waitForInstances(journey);
    exchange.trace.instanceId = target.instanceId;
    const outcome = await forwarder.forward(target, { fresh: journey.repeating });
    noteHealth(target, exchange, outcome);
    if (outcome.kind === 'done') return 'answered';
    if (journey.mayGoOn(target, outcome)) return 'route-again';
    const page =
      outcome.kind === 'timeout' ? refusal.gatewayTimeout : refusal.badGateway(journey.lastReason);
    return refuse(exchange, page);
  }

  async #waitForInstances(journey: Journey): Promise<'answered' | 'route-again'> {
    const pauseMs = journey.nextRound();
    if (pauseMs === undefined)
      return refuse(journey.exchange, refusal.badGateway(journey.lastReason));
    if (await this.#room.wait(pauseMs, journey.exchange.ended)) return 'route-again';
    return refuse(journey.exchange, refusal.tooManyWaiting);
  }

  async #serveStatic(
    journey: Journey,
    route: StaticRoute,
    forwarder: Forwarder,
  ): Promise<'answered' | 'route-again'> {
    const { exchange } = journey;
    const { staticServer } = this.#surroundings;
    if (!isStaticMethod(exchange.method))
      return refuse(exchange, refusal.methodNotAllowed(STATIC_METHODS));
    if (!staticServer) return refuse(exchange, refusal.unavailable('No static server runs here.'));
    const rewrite = staticRewrite(exchange, route, this.appId);
    const outcome = await forwarder.forward(staticServer, { fresh: journey.repeating, rewrite });
    if (outcome.kind === 'done') return 'answered';
    if (!journey.mayGoOn(staticServer, outcome))
      return refuse(exchange, refusal.badGateway('The static server did not answer.'));
    return outcome.kind === 'not-sent' ? await this.#waitForInstances(journey) : 'route-again';
  }

  async #hold(exchange: Exchange, untilMs: number): Promise<'answered' | 'route-again'> {
    const leftMs = untilMs - Date.now();
    if (leftMs <= 0) return refuse(exchange, refusal.heldTooLong);
    if (await this.#room.wait(leftMs, exchange.ended)) return 'route-again';
    return refuse(exchange, refusal.tooManyWaiting);
  }
}

function refuse(exchange: Exchange, page: refusal.Refusal): 'answered' {
  exchange.refuse(page);
  return 'answered';
}

function noteHealth(target: Target, exchange: Exchange, outcome: Outcome): void {
  const answered = exchange.trace.upstreamMs !== undefined;
  if (outcome.kind === 'done' && answered) target.health.succeeded();
  const failed = outcome.kind === 'not-sent' || (outcome.kind === 'no-response' && !outcome.stale);
  if (failed && !target.withdrawn) target.health.failed(performance.now());
}

const keyOf = ({ instanceId, address, port, keepAliveMs }: Upstream): string =>
  `${instanceId} ${address} ${port} ${keepAliveMs ?? ''}`;
