// The slowest percent of requests while there is room: everyone at half of what saturates HAProxy, and
// the backend alone to show what the load generator itself adds.
import { join } from 'node:path';
import { SMALL_PATH } from '../backend.ts';
import type { Bench } from '../bench.ts';
import type { Figure, Reading } from '../figure.ts';
import type { OpenLoopOptions, OpenLoopReport } from '../load/open-loop.ts';
import { runWrk } from '../load/wrk.ts';
import { inTurns } from '../measure.ts';
import { LOAD_CORE } from '../pinned-processes.ts';
import { HTTP_HOST, type Proxy } from '../proxies/proxy.ts';
import { median } from '../../median.ts';

const CONNECTIONS = 64;
const SATURATIONS = 3;
const GRACE_MS = 30_000;
/** Less than this share of the rate was asked for: the generator, not the proxy, is measured. */
const RATE_SHARE_MIN = 0.95;
const SCRIPT = join(import.meta.dirname, '../load/open-loop.ts');

export async function measureLatency(bench: Bench): Promise<Figure> {
  const proxies = await bench.proxies();
  const perSecond = Math.round((await saturatedRate(bench, proxies)) / 2);
  process.stderr.write(`  ${perSecond} requests/s\n`);
  const places = proxies.map(({ name, httpPort }) => [name, httpPort] as const);
  const turns = [...places, ['no proxy', (await bench.backend).port] as const].map(
    ([name, port]) => [name, () => p99(bench, name, { port, perSecond })] as const,
  );
  return {
    name: `p99 at half of the load that saturates HAProxy (${perSecond} requests/s)`,
    unit: 'ms',
    readings: await inTurns(bench.rounds, Object.fromEntries(turns)),
    targets: [{ of: 'Tandem', against: ['HAProxy'], atMost: 1.5 }],
  };
}

async function saturatedRate(bench: Bench, proxies: readonly Proxy[]): Promise<number> {
  const haproxy = proxies.find(({ name }) => name === 'HAProxy');
  if (!haproxy) throw new Error('HAProxy does not take part');
  const rates: number[] = [];
  for (let run = 0; run < SATURATIONS; run += 1) {
    const where = { port: haproxy.httpPort, host: HTTP_HOST, path: SMALL_PATH };
    const shape = { connections: CONNECTIONS, seconds: bench.seconds };
    const { operations, seconds } = await runWrk(bench.processes, { ...where, ...shape });
    rates.push(operations / seconds);
  }
  return median(rates);
}

async function p99(
  bench: Bench,
  name: string,
  at: Pick<OpenLoopOptions, 'port' | 'perSecond'>,
): Promise<Reading> {
  const shape = { host: HTTP_HOST, connections: CONNECTIONS };
  const options: OpenLoopOptions = { ...at, ...shape, warmUpSeconds: 1, seconds: bench.seconds };
  const argv = [process.execPath, SCRIPT, JSON.stringify(options)] as const;
  const timeoutMs = bench.seconds * 1_000 + GRACE_MS;
  const output = await bench.processes.run({ core: LOAD_CORE, argv }, timeoutMs);
  const report = JSON.parse(output) as OpenLoopReport;
  const asked = (report.requests + report.unanswered) / report.seconds;
  if (asked < RATE_SHARE_MIN * at.perSecond) {
    throw new Error(`the generator managed ${Math.round(asked)} of ${at.perSecond} requests/s`);
  }
  if (report.unanswered > 0) {
    process.stderr.write(`  ${name}: ${report.unanswered} requests were late beyond the end\n`);
  }
  return { value: report.p99Ms };
}
