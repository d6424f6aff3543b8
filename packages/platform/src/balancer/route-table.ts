// The table this balancer serves by. Every change is applied in one turn of the loop, so its epoch
// may be acknowledged as soon as the call returns.
import { isDeepStrictEqual } from 'node:util';
import { RouteMatcher, type RouteMatch } from '../domain/route-match.ts';
import type {
  AppRoutes,
  BalancerChallenge,
  RouteSnapshot,
  RouteUpdate,
} from '../domain/route-table.ts';

export interface RouteTableListener {
  /** Without routes: the app is gone. */
  appChanged(app: AppRoutes): void;
  /** All there are. */
  challengesChanged(challenges: readonly BalancerChallenge[]): void;
}

export class RouteTable {
  readonly #matcher = new RouteMatcher();
  readonly #listener: RouteTableListener;
  #challenges: readonly BalancerChallenge[] = [];
  #epoch = 0;

  constructor(listener: RouteTableListener) {
    this.#listener = listener;
  }

  /** 0: no table yet. */
  get epoch(): number {
    return this.#epoch;
  }

  match(host: string, path: string): RouteMatch | undefined {
    return this.#matcher.match(host, path);
  }

  /** False: not the next one, take a snapshot. An older one is as good as applied. */
  applyUpdate({ epoch, app, challenges }: RouteUpdate): boolean {
    if (epoch <= this.#epoch) return true;
    if (epoch !== this.#epoch + 1) return false;
    this.#epoch = epoch;
    if (app) this.#set(app);
    if (challenges) this.#setChallenges(challenges);
    return true;
  }

  /** An older one is ignored: answers may overtake each other. */
  applySnapshot({ epoch, apps, challenges = [] }: RouteSnapshot): void {
    if (epoch < this.#epoch) return;
    this.#epoch = epoch;
    const named = new Set(apps.map((app) => app.appId));
    const known = new Map([...this.#matcher.apps].map((app) => [app.appId, app]));
    for (const { appId, appName } of known.values())
      if (!named.has(appId)) this.#set({ appId, appName, routes: [] });
    for (const app of apps) if (!isDeepStrictEqual(known.get(app.appId), app)) this.#set(app);
    this.#setChallenges(challenges);
  }

  snapshot(): RouteSnapshot {
    return {
      epoch: this.#epoch,
      apps: [...this.#matcher.apps],
      ...(this.#challenges.length > 0 && { challenges: this.#challenges }),
    };
  }

  #setChallenges(challenges: readonly BalancerChallenge[]): void {
    if (isDeepStrictEqual(challenges, this.#challenges)) return;
    this.#challenges = challenges;
    this.#listener.challengesChanged(challenges);
  }

  #set(app: AppRoutes): void {
    this.#matcher.set(app);
    this.#listener.appChanged(app);
  }
}
