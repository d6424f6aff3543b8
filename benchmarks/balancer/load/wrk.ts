// wrk: HTTP load from one thread on the core of the load.
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
  readonly isTls?: boolean;
  /** A Lua file: another method, a body, another host each time, rests in between. */
  readonly script?: string;
}

export interface WrkResult extends LoadResult {
  readonly p99Ms: number;
}

export async function runWrk(processes: PinnedProcesses, options: WrkOptions): Promise<WrkResult> {
  const { port, host, path, connections, seconds, script, isTls = false } = options;
  const argv = [
    'wrk',
    ...['--threads', '1', '--connections', String(connections), '--duration', `${seconds}s`],
    ...['--timeout', `${TIMEOUT_S}s`, '--latency'],
    ...['--header', `Host: ${host}`],
    ...(script === undefined ? [] : ['--script', script]),
    `http${isTls ? 's' : ''}://127.0.0.1:${port}${path}`,
  ] as const;
  return parseWrk(await processes.run({ core: LOAD_CORE, argv }, seconds * 1_000 + GRACE_MS));
}

/** Throws when a request failed: a figure of a proxy that drops requests means nothing. */
export function parseWrk(output: string): WrkResult {
  const errors = /Socket errors: .*|Non-2xx or 3xx responses: \d+/.exec(output)?.[0];
  if (errors !== undefined) throw new Error(`wrk: ${errors}`);
  const operations = Number(/(\d+) requests in /.exec(output)?.[1] ?? 0);
  const rate = /Requests\/sec:\s+([\d.]+)/.exec(output)?.[1];
  const slow = /^\s+99%\s+([\d.]+)(us|ms|s|m) *$/m.exec(output);
  if (rate === undefined || slow === null || operations === 0) {
    throw new Error(`wrk did not say what it did:\n${output}`);
  }
  const p99Ms = Number(slow[1]) * (MS_PER[slow[2] ?? ''] ?? NaN);
  return { operations, seconds: operations / Number(rate), p99Ms };
}

const MS_PER: Readonly<Record<string, number>> = { us: 1e-3, ms: 1, s: 1e3, m: 60e3 };
