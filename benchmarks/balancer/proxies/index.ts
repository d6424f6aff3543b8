// Everyone who takes part, in the order of the rounds and of the table.
import { startCaddy } from './caddy.ts';
import { startHaproxy } from './haproxy.ts';
import { startNginx } from './nginx.ts';
import type { Proxy, ProxyName, ProxyPlace } from './proxy.ts';
import { startTandem } from './tandem.ts';

export const PROXIES: Readonly<Record<ProxyName, (place: ProxyPlace) => Promise<Proxy>>> = {
  Tandem: startTandem,
  nginx: startNginx,
  HAProxy: startHaproxy,
  Caddy: startCaddy,
  'nginx bare': (place) => startNginx(place, { isBare: true }),
  'HAProxy bare': (place) => startHaproxy(place, { isBare: true }),
};
