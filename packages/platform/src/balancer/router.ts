// From a request to the app that answers it; routes again whenever the first choice came to nothing,
// always by the table as it is then.
import type { AppRoutes, BalancerChallenge } from '../domain/route-table.ts';
import { ChallengeAnswers } from './challenge-answers.ts';
import type { Exchange } from './exchange.ts';
import { newPolicySurroundings } from './policy/compile-policy.ts';
import * as refusal from './refusal.ts';
import { RouteTable } from './route-table.ts';
import { Service, type ServiceSurroundings } from './service.ts';

export type TlsChallenge = Extract<BalancerChallenge, { kind: 'tls-alpn-01' }>;

export class Router {
  readonly table: RouteTable;
  /** What the policies of all apps share. */
  readonly policies = newPolicySurroundings();
  /** Of those that a TLS handshake answers, all there are. */
  onTlsChallenges: ((challenges: readonly TlsChallenge[]) => void) | undefined = undefined;
  #challengeAnswers: ChallengeAnswers | undefined = undefined;
  readonly #services = new Map<number, Service>();
  readonly #surroundings: ServiceSurroundings;

  constructor(surroundings: Omit<ServiceSurroundings, 'routeAgain' | 'policies'>) {
    this.#surroundings = {
      ...surroundings,
      policies: this.policies,
      routeAgain: (exchange) => this.handle(exchange),
    };
    this.table = new RouteTable(this);
  }

  /** Sees to it that the exchange is answered, now or later, unless its client is gone. */
  handle(exchange: Exchange): void {
    if (exchange.isEnded) return;
    const { host, path } = exchange;
    const answer = this.#challengeAnswers?.find(host, path);
    if (answer !== undefined) return exchange.refuse(refusal.challengeAnswer(answer));
    const match = host === undefined ? undefined : this.table.match(host, path);
    const service = match && this.#services.get(match.appId);
    if (service) service.serve(exchange, match.route);
    else exchange.refuse(this.#notFound(host, path));
  }

  /** Whether its body is worth reading. */
  knows({ host, path }: Exchange): boolean {
    return host !== undefined && this.table.match(host, path) !== undefined;
  }

  /** False: its route would refuse it for its body. What comes of the body from now on is bounded. */
  takesBody(exchange: Exchange): boolean {
    const { host, path } = exchange;
    const match = host === undefined ? undefined : this.table.match(host, path);
    if (match === undefined) return true;
    return this.#services.get(match.appId)?.takesBody(exchange, match.route) ?? true;
  }

  appChanged(app: AppRoutes): void {
    const service = this.#services.get(app.appId) ?? new Service(app.appId, this.#surroundings);
    if (app.routes.length > 0) this.#services.set(app.appId, service);
    else this.#services.delete(app.appId);
    service.update(app);
  }

  challengesChanged(challenges: readonly BalancerChallenge[]): void {
    this.#challengeAnswers = ChallengeAnswers.of(challenges);
    this.onTlsChallenges?.(challenges.filter((challenge) => challenge.kind === 'tls-alpn-01'));
  }

  #notFound(host: string | undefined, path: string): refusal.Refusal {
    if (host === undefined) return refusal.badRequest('The request names no valid host.');
    if (this.table.epoch === 0) return refusal.notReady;
    if (this.table.match(host, '/')) return refusal.unknownPath(host, path);
    return refusal.unknownHost(host);
  }
}
