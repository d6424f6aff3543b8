// wrk: closed-loop HTTP load from one thread on the core of the load.
import { LOAD_CORE, type PinnedProcesses } from '../pinned-processes.ts';
import type { LoadResult } from './load-result.ts';

const GRACE_MS = 15_000;
/** An answer that takes longer is a failure; wrk's own 2 s are short for a busy machine. */
const TIMEOUT_S = 10;

export interface WrkOptions {
  readonly port: number;
  readonly host: string;
  readonly path: string;
  readonly connections: number;
  readonly seconds: number;
  /** A Lua file: another method, a body, a host for each request. */
  readonly script?: string;
}

export async function runWrk(
  processes: PinnedProcesses,
  { port, host, path, connections, seconds, script }: WrkOptions,
): Promise<LoadResult> {
  const shape = [
    '--threads',
    '1',
    '--connections',
    String(connections),
    '--duration',
    `${seconds}s`,
  ];
  const patience = ['--timeout', `${TIMEOUT_S}s`];
  const more = script === undefined ? ['--header', `Host: ${host}`] : ['--script', script];
  const argv = ['wrk', ...shape, ...patience, ...more, `http://127.0.0.1:${port}${path}`] as const;
  const options = { core: LOAD_CORE, argv } as const;
  return parseWrk(await processes.run(options, seconds * 1_000 + GRACE_MS));
}

/** Throws when a request failed: a figure of a proxy that drops requests means nothing. */
export function parseWrk(output: string): LoadResult {
  const errors =
    /Socket errors: .*/.exec(output)?.[0] ?? /Non-2xx or 3xx responses: \d+/.exec(output)?.[0];
  if (errors !== undefined) throw new Error(`wrk: ${errors}`);
  const summary = /(\d+) requests in ([\d.]+)(ms|s|m)\b/.exec(output);
  const rate = /Requests\/sec:\s+([\d.]+)/.exec(output)?.[1];
  const operations = Number(summary?.[1]);
  if (summary === null || rate === undefined || operations === 0) {
    throw new Error(`wrk did not say what it did:\n${output}`);
  }
  return { operations, seconds: operations / Number(rate) };
}
