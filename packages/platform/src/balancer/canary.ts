// Two groups of upstreams of one route: a share of the requests goes to the second one, a release on
// trial. A client that has to stay where it is draws once: the draw is compared with the weight anew for
// each request, so that a growing weight takes clients over and never sends one back.
import type { Canary as CanaryRule } from '../domain/route-table.ts';
import { withField } from './answer-changes.ts';
import { clientKey } from '../domain/address-range.ts';
import type { Exchange } from './exchange.ts';
import type { LoadBalancer, Random } from './load-balancer.ts';
import type { Target } from './target.ts';

export const DRAW_COOKIE = 'tandem-draw';
const COOKIE_MAX_AGE_S = 30 * 86_400;

export class Canary {
  readonly #rule: CanaryRule;
  readonly #main: LoadBalancer;
  readonly #trial: LoadBalancer;
  readonly #random: Random;

  constructor(
    rule: CanaryRule,
    main: LoadBalancer,
    trial: LoadBalancer,
    random: Random = Math.random,
  ) {
    this.#rule = rule;
    this.#main = main;
    this.#trial = trial;
    this.#random = random;
  }

  /** Undefined once all of both were tried. */
  choose(exchange: Exchange): Target | undefined {
    const draw = (exchange.draw ??= this.#drawOf(exchange));
    if (this.#rule.sticky === 'cookie' && drawOfCookie(exchange.header('cookie')) === undefined)
      giveCookie(exchange, draw);
    const isTrial = draw < this.#rule.weight;
    const [meant, other] = isTrial ? [this.#trial, this.#main] : [this.#main, this.#trial];
    const tried = exchange.journey?.tried;
    const chosen = meant.isWell(tried) || !other.isWell(tried) ? meant : other;
    return chosen.choose(tried) ?? meant.choose(tried) ?? other.choose(tried);
  }

  /** From 0 to below 1. */
  #drawOf(exchange: Exchange): number {
    const { sticky } = this.#rule;
    if (sticky === undefined) return this.#random();
    if (sticky === 'client') return drawOfClient(exchange.origin.clientIp);
    return drawOfCookie(exchange.header('cookie')) ?? this.#newDraw();
  }

  /** As many as a cookie tells apart. */
  #newDraw(): number {
    return Math.floor(this.#random() * DRAWS) / DRAWS;
  }
}

/** Has the answer tell the client its draw. */
function giveCookie(exchange: Exchange, draw: number): void {
  const cookie = `${DRAW_COOKIE}=${String(Math.round(draw * DRAWS)).padStart(4, '0')}`;
  const secure = exchange.origin.proto === 'https' ? '; Secure' : '';
  const attributes = `Path=/; Max-Age=${COOKIE_MAX_AGE_S}; HttpOnly; SameSite=Lax${secure}`;
  const { requestFields, answer, responseTimeoutMs } = exchange.treatment ?? NO_TREATMENT;
  exchange.treatment = {
    ...{ requestFields, responseTimeoutMs },
    answer: withField(answer, `Set-Cookie: ${cookie}; ${attributes}`),
  };
}

const DRAWS = 10_000;
const NO_TREATMENT = { requestFields: undefined, answer: undefined, responseTimeoutMs: undefined };

const FORM = new RegExp(`(?:^|;[ \\t]*)${DRAW_COOKIE}=(\\d{4})(?:;|$)`);

function drawOfCookie(header: string | undefined): number | undefined {
  const digits = header === undefined ? undefined : FORM.exec(header)?.[1];
  return digits === undefined ? undefined : Number(digits) / DRAWS;
}

/** The same in every worker and after a restart; neighbours draw differently. */
function drawOfClient(ip: string): number {
  let value = 0x811c9dc5;
  for (const character of clientKey(ip))
    value = Math.imul(value ^ character.charCodeAt(0), 0x01000193);
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return ((value ^ (value >>> 16)) >>> 0) / 2 ** 32;
}
