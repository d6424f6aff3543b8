// From a request to the app that answers it; routes again whenever the first choice came to nothing,
// always by the table as it is then.
import type { AppRoutes } from '../domain/route-table.ts';
import type { Exchange, Forwarder } from './exchange.ts';
import { Journey } from './journey.ts';
import * as refusal from './refusal.ts';
import { RouteTable } from './route-table.ts';
import { Service, type ServiceSurroundings } from './service.ts';

export class Router {
  readonly table: RouteTable;
  readonly #services = new Map<number, Service>();
  readonly #surroundings: ServiceSurroundings;

  constructor(surroundings: ServiceSurroundings) {
    this.#surroundings = surroundings;
    this.table = new RouteTable(this);
  }

  /** Resolves when the exchange was answered, or its client is gone. */
  async handle(exchange: Exchange, forwarder: Forwarder): Promise<void> {
    const journey = new Journey(exchange);
    while (!exchange.ended.aborted) {
      const found = this.#find(exchange);
      if (!found) return;
      if ((await found.service.serve(journey, found.route, forwarder)) === 'answered') return;
    }
  }

  appChanged(app: AppRoutes): void {
    const service = this.#services.get(app.appId) ?? new Service(app.appId, this.#surroundings);
    if (app.routes.length > 0) this.#services.set(app.appId, service);
    else this.#services.delete(app.appId);
    service.update(app);
  }

  #find(exchange: Exchange) {
    const { host, path } = exchange;
    const match = host === undefined ? undefined : this.table.match(host, path);
    const service = match && this.#services.get(match.appId);
    if (service) return { service, route: match.route };
    exchange.refuse(this.#notFound(host, path));
    return undefined;
  }

  #notFound(host: string | undefined, path: string): refusal.Refusal {
    if (this.table.epoch === 0) return refusal.notReady;
    if (host !== undefined && this.table.match(host, '/')) return refusal.unknownPath(host, path);
    return refusal.unknownHost(host);
  }
}
