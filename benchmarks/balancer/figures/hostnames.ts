// What a large table costs: throughput, memory, and the time until a change of it is served.
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { get } from '../../http.ts';
import type { Backend } from '../backend.ts';
import type { Bench } from '../bench.ts';
import type { Figure, Reading } from '../figure.ts';
import { runWrk } from '../load/wrk.ts';
import { inTurns, measureSlice } from '../measure.ts';
import { workerBytes } from '../process-tree.ts';
import {
  routesText,
  routeTo,
  startStandalone,
  type Standalone,
  type StandaloneRoute,
} from '../proxies/tandem.ts';
import { untilServing } from '../ready.ts';

const FEW = 10;
const MANY = 100_000;
const CONNECTIONS = 64;
const SETTLE_MS = 2_000;
const CHANGE_TIMEOUT_MS = 30_000;
/** 60 MB. */
const TABLE_MIB_MAX = 60e6 / 1024 / 1024;
const CHANGE_MS_MAX = 20;

interface Table extends Standalone {
  readonly hosts: number;
  readonly directory: string;
}

export async function measureHostnames(bench: Bench): Promise<Figure[]> {
  const [backend, other] = [await bench.backend, await bench.startBackend('from the other one')];
  const few = await startTable(bench, FEW, backend);
  const many = await startTable(bench, MANY, backend);
  await delay(SETTLE_MS);
  const tableMiB =
    ((await workerBytes(many.process.pid)) - (await workerBytes(few.process.pid))) / 1024 / 1024;
  const figures = [
    await measureTables(bench, few, many),
    memoryFigure(tableMiB),
    await measureChange(bench, few, [other, backend]),
    await measureChange(bench, many, [other, backend]),
  ];
  for (const { process } of [few, many, other]) await bench.processes.stop(process);
  return figures;
}

async function measureTables(bench: Bench, few: Table, many: Table): Promise<Figure> {
  const turn = async (table: Table, asked: number): Promise<() => Promise<Reading>> => {
    const { port, process, accessLog } = table;
    const script = await hostScript(table, asked);
    const where = { port, host: hostname(0), path: '/', connections: CONNECTIONS, script };
    const load = (seconds: number) => runWrk(bench.processes, { ...where, seconds });
    return () => measureSlice({ pid: process.pid, load, seconds: bench.seconds, accessLog });
  };
  const turns = {
    [hostnames(MANY)]: await turn(many, MANY),
    [hostnames(FEW)]: await turn(few, FEW),
    // Tells what a large table costs from what it costs to use all of it.
    [`${FEW} of ${hostnames(MANY)}`]: await turn(many, FEW),
  };
  return {
    name: 'small response, 64 connections, each request to another hostname',
    unit: 'requests/s',
    readings: await inTurns(bench.rounds, turns),
    targets: [{ of: hostnames(MANY), against: [hostnames(FEW)], atLeast: 0.97 }],
  };
}

function memoryFigure(tableMiB: number): Figure {
  return {
    name: `table of ${hostnames(MANY)} in a worker`,
    unit: 'MiB',
    readings: { Tandem: [{ value: tableMiB }] },
    targets: [{ of: 'Tandem', atMost: TABLE_MIB_MAX }],
  };
}

/** From the moment the new file is in its place until a request is answered by it. */
async function measureChange(
  bench: Bench,
  table: Table,
  upstreams: readonly Backend[],
): Promise<Figure> {
  const changed = Math.floor(table.hosts / 2);
  const change = async (): Promise<Reading> => {
    const next = upstreams[turn % upstreams.length];
    turn += 1;
    if (!next) throw new Error('no backend to change to');
    const body = await get({ port: next.port, host: hostname(changed) });
    const [unchanged] = upstreams.slice(-1);
    const routes = routesTo(table.hosts, unchanged?.port ?? 0);
    routes[changed] = routeTo(hostname(changed), next.port);
    const draft = `${table.routesFile}.new`;
    await writeFile(draft, routesText(routes));
    await rename(draft, table.routesFile);
    return { value: await msUntil(table.port, hostname(changed), body.body) };
  };
  let turn = 0;
  return {
    name: `a changed routes file of ${hostnames(table.hosts)} until it is served`,
    unit: 'ms',
    readings: await inTurns(bench.rounds, { Tandem: change }),
    targets: [{ of: 'Tandem', atMost: CHANGE_MS_MAX }],
  };
}

async function msUntil(port: number, host: string, body: string): Promise<number> {
  const beganMs = performance.now();
  while (performance.now() - beganMs < CHANGE_TIMEOUT_MS) {
    const answer = await get({ port, host });
    if (answer.body === body) return performance.now() - beganMs;
  }
  throw new Error(`the change of ${host} was not served within ${CHANGE_TIMEOUT_MS} ms`);
}

async function startTable(bench: Bench, hosts: number, backend: Backend): Promise<Table> {
  const directory = await bench.directory(`hostnames-${hosts}`);
  const routes = routesTo(hosts, backend.port);
  const { processes } = bench;
  const standalone = await startStandalone({ processes, directory }, routes);
  const last = hostname(hosts - 1);
  await untilServing(standalone.process, { port: standalone.port, host: last });
  return { ...standalone, hosts, directory };
}

function routesTo(hosts: number, port: number): StandaloneRoute[] {
  return Array.from({ length: hosts }, (_, index) => routeTo(hostname(index), port));
}

function hostname(index: number): string {
  return `site-${index}.bench.test`;
}

function hostnames(count: number): string {
  return `${count.toLocaleString('en')} hostnames`;
}

/** Asks for `asked` of the hostnames, spread over the table, by a step that meets every one. */
async function hostScript({ hosts, directory }: Table, asked: number): Promise<string> {
  const script = join(directory, `hostnames-${asked}.lua`);
  const text = `local requests = {}
local turn = 0
function init(args)
  for index = 0, ${asked - 1} do
    local host = 'site-' .. index * ${hosts / asked} .. '.bench.test'
    requests[index] = wrk.format('GET', '/', { Host = host })
  end
end
function request()
  turn = (turn + 7919) % ${asked}
  return requests[turn]
end
`;
  await writeFile(script, text);
  return script;
}
