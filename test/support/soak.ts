// Rounds of everything at once, and after each round, once all is quiet, a look at what is still held.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { startSoakApp } from './soak-app.ts';
import type { FromSoakBalancer, Held, ToSoakBalancer } from './soak-balancer.ts';
import { SoakTraffic } from './soak-traffic.ts';

const BALANCER = join(import.meta.dirname, 'soak-balancer.ts');
const KIB = 1024;
/** Compiled code, caches, what the collector has not got round to. */
const SLACK_BYTES = 2 * KIB * KIB;
const ROUTES_CHANGE_MS = 150;

export interface SoakOptions {
  /** The first is for warming up. */
  readonly rounds: number;
  readonly roundMs: number;
}

export async function soak({ rounds, roundMs }: SoakOptions): Promise<void> {
  const apps = await Promise.all([startSoakApp(), startSoakApp()]);
  const balancer = fork(BALANCER, { execArgv: ['--conditions=development'] });
  const tell = (message: ToSoakBalancer): boolean => balancer.send(message);
  const answer = async (): Promise<FromSoakBalancer> =>
    ((await once(balancer, 'message')) as [FromSoakBalancer])[0];
  const requests: Record<string, number> = {};
  const seen: Held[] = [];
  try {
    const listening = await answer();
    if (listening.type !== 'listening') throw new Error('it does not listen');
    for (let round = 0; round < rounds; round += 1) {
      const traffic = new SoakTraffic(listening.port);
      let changes = 0;
      /** One of the two apps, or both, always as instances that are new. */
      const changeRoutes = (): void => {
        changes += 1;
        const named = changes % 3 === 0 ? apps : [apps[changes % 2] ?? apps[0]];
        const upstreams = named.map(({ port }) => ({
          ...{ instanceId: `${port}-${round}-${changes}`, address: '127.0.0.1', port },
        }));
        tell({ type: 'routes', upstreams });
      };
      changeRoutes();
      await sleep(50);
      traffic.start();
      const timer = setInterval(changeRoutes, ROUTES_CHANGE_MS);
      await sleep(roundMs);
      clearInterval(timer);
      const { done, failures } = await traffic.stop();
      expect(failures.slice(0, 10)).toEqual([]);
      for (const [name, count] of Object.entries(done))
        requests[name] = (requests[name] ?? 0) + count;
      tell({ type: 'routes', upstreams: [] });
      await sleep(200);
      tell({ type: 'held' });
      const held = await answer();
      if (held.type === 'held') seen.push(held);
    }
  } finally {
    balancer.kill('SIGKILL');
    await Promise.all(apps.map((app) => app.close()));
  }
  report(requests, seen);
  check(seen);
}

function check(seen: readonly Held[]): void {
  const [before, after] = [seen[0], seen.at(-1)];
  if (!before || !after) throw new Error('no rounds');
  for (const held of seen) expect(held).toMatchObject({ clients: 0, draining: 0 });
  expect(after.active).toEqual(before.active);
  expect(after.descriptors).toBe(before.descriptors);
  const least = Math.min(...seen.map(({ bytes }) => bytes));
  expect(after.bytes).toBeLessThan(least + SLACK_BYTES);
}

function report(requests: Readonly<Record<string, number>>, seen: readonly Held[]): void {
  const total = Object.values(requests).reduce((sum, count) => sum + count, 0);
  const sizes = seen.map(({ bytes }) => Math.round(bytes / KIB));
  const slope = slopeOf(sizes.slice(1));
  console.log(
    `${total} exchanges: ${JSON.stringify(requests)}\n` +
      `KiB held after each round: ${sizes.join(' ')}; ${slope.toFixed(1)} KiB more each round\n` +
      `MiB resident: ${seen.map(({ residentBytes }) => Math.round(residentBytes / KIB / KIB)).join(' ')}\n` +
      `descriptors ${seen.map(({ descriptors }) => descriptors).join(' ')}, ` +
      `active ${JSON.stringify(seen.at(-1)?.active)}`,
  );
}

/** Of the line that fits best. */
function slopeOf(values: readonly number[]): number {
  const middle = (values.length - 1) / 2;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  let [above, below] = [0, 0];
  values.forEach((value, index) => {
    above += (index - middle) * (value - mean);
    below += (index - middle) ** 2;
  });
  return below === 0 ? 0 : above / below;
}
