// Requests per second of each proxy, for several shapes of request.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MEGABYTE_PATH, SMALL_PATH, TEN_KILOBYTES_PATH } from '../backend.ts';
import type { Bench } from '../bench.ts';
import type { Figure, RatioTarget } from '../figure.ts';
import { runWrk } from '../load/wrk.ts';
import { inTurns, measureSlice } from '../measure.ts';
import { HTTP_HOST } from '../proxies/proxy.ts';

export interface Shape {
  readonly name: string;
  readonly path: string;
  readonly connections: number;
  readonly postBytes?: number;
  readonly targets: readonly RatioTarget[];
}

export const BETTER_OF_BOTH: RatioTarget = {
  of: 'Tandem',
  against: ['nginx', 'HAProxy'],
  atLeast: 0.9,
};

export const SHAPES = {
  small: {
    name: 'small response, 64 connections',
    path: SMALL_PATH,
    connections: 64,
    targets: [
      { of: 'Tandem', against: ['HAProxy'], atLeast: 1 },
      { of: 'Tandem', against: ['nginx'], atLeast: 0.85 },
      { of: 'Tandem', against: ['Caddy'], atLeast: 4 },
    ],
  },
  'connections-1000': {
    name: 'small response, 1,000 connections',
    path: SMALL_PATH,
    connections: 1_000,
    targets: [BETTER_OF_BOTH],
  },
  'response-10k': {
    name: '10 KB response',
    path: TEN_KILOBYTES_PATH,
    connections: 64,
    targets: [BETTER_OF_BOTH],
  },
  'response-1m': {
    name: '1 MB response',
    path: MEGABYTE_PATH,
    connections: 64,
    targets: [BETTER_OF_BOTH],
  },
  'post-10k': {
    name: '10 KB POST body',
    path: SMALL_PATH,
    connections: 64,
    postBytes: 10 * 1024,
    targets: [BETTER_OF_BOTH],
  },
} as const satisfies Record<string, Shape>;

export async function measureThroughput(bench: Bench, shape: Shape): Promise<Figure> {
  const { path, connections, name, targets } = shape;
  const script = shape.postBytes === undefined ? {} : await postScript(bench, shape.postBytes);
  const turns = (await bench.proxies()).map(({ name, process, httpPort: port, accessLog }) => {
    const load = (seconds: number) =>
      runWrk(bench.processes, { port, host: HTTP_HOST, path, connections, seconds, ...script });
    const { seconds } = bench;
    const log = accessLog === undefined ? {} : { accessLog };
    return [name, () => measureSlice({ pid: process.pid, load, seconds, ...log })] as const;
  });
  const readings = await inTurns(bench.rounds, Object.fromEntries(turns));
  return { name, unit: 'requests/s', readings, targets };
}

async function postScript(bench: Bench, bytes: number): Promise<{ script: string }> {
  const script = join(await bench.directory('post'), 'post.lua');
  const text = `wrk.method = 'POST'
wrk.body = string.rep('x', ${bytes})
wrk.headers['Content-Type'] = 'application/octet-stream'
`;
  await writeFile(script, text);
  return { script };
}
