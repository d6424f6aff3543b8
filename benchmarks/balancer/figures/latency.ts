// The slowest percent of requests while there is room: everyone at half of what saturates HAProxy, and
// the backend alone to show what load and backend themselves add.
//
// Many connections, each of which rests between requests, so that the rate hardly depends on how fast
// the answers are. wrk does that for a tenth of the CPU time that a generator in Node takes, which would
// compete with the backend for their core; for what a late answer holds back it adds samples itself.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { median } from '../../median.ts';
import { SMALL_PATH } from '../backend.ts';
import type { Bench } from '../bench.ts';
import type { Figure, Reading } from '../figure.ts';
import { runWrk, type WrkOptions } from '../load/wrk.ts';
import { inTurns, PATIENCE_MS } from '../measure.ts';
import { HTTP_HOST, type Proxy } from '../proxies/proxy.ts';
import { Patience } from '../quiet.ts';

const SATURATING_CONNECTIONS = 64;
const SATURATIONS = 3;
/** Between two requests of a connection; drawn anew each time, or all would ask at once. */
const REST_MS = { least: 5, most: 15 };
/** The mean rest, half a tick of wrk's clock, and an answer. */
const REST_MEAN_MS = 10.7;
/** A proxy that cannot keep up is not measured at the rate of the others: its line says so. */
const RATE_SHARE_MIN = 0.9;

export async function measureLatency(bench: Bench): Promise<Figure> {
  const proxies = await bench.proxies();
  const perSecond = (await saturatedRate(bench, proxies)) / 2;
  const script = await paceScript(bench);
  const connections = Math.round((perSecond * REST_MEAN_MS) / 1_000);
  const places = proxies.map(({ name, httpPort }) => [name, httpPort] as const);
  const turns = [...places, ['no proxy', (await bench.backend).port] as const].map(
    ([name, port]) => {
      const where = { port, host: HTTP_HOST, path: SMALL_PATH };
      const load = { ...where, connections, seconds: bench.seconds, script };
      return [name, () => p99(bench, name, { load, perSecond })] as const;
    },
  );
  return {
    name: `p99 at half of the load that saturates HAProxy (${Math.round(perSecond)} requests/s)`,
    unit: 'ms',
    readings: await inTurns(bench.rounds, Object.fromEntries(turns)),
    targets: [{ of: 'Tandem', against: ['HAProxy'], atMost: 1.5 }],
  };
}

async function saturatedRate(bench: Bench, proxies: readonly Proxy[]): Promise<number> {
  const haproxy = proxies.find(({ name }) => name === 'HAProxy');
  if (!haproxy) throw new Error('HAProxy does not take part');
  const where = { port: haproxy.httpPort, host: HTTP_HOST, path: SMALL_PATH };
  const load = { ...where, connections: SATURATING_CONNECTIONS, seconds: bench.seconds };
  const rates: number[] = [];
  const patience = new Patience(PATIENCE_MS);
  for (let run = 0; run < SATURATIONS; run += 1) {
    await patience.untilQuiet();
    const { operations, seconds } = await runWrk(bench.processes, load);
    rates.push(operations / seconds);
  }
  return median(rates);
}

async function p99(
  bench: Bench,
  name: string,
  { load, perSecond }: { readonly load: WrkOptions; readonly perSecond: number },
): Promise<Reading> {
  await runWrk(bench.processes, { ...load, seconds: 1 });
  const { operations, seconds, p99Ms } = await runWrk(bench.processes, load);
  const rate = operations / seconds;
  if (rate < RATE_SHARE_MIN * perSecond) {
    process.stderr.write(`  ${name} kept up with ${Math.round(rate)} requests/s only\n`);
  }
  return { value: p99Ms };
}

async function paceScript(bench: Bench): Promise<string> {
  const script = join(await bench.directory('pace'), 'pace.lua');
  const { least, most } = REST_MS;
  await writeFile(script, `function delay() return math.random(${least}, ${most}) end\n`);
  return script;
}
