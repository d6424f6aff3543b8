// Messages per second through tunnels. Load and echo are ours and share a core, so they are the limit
// before a fast proxy is: CPU time decides then.
import { join } from 'node:path';
import type { Bench } from '../bench.ts';
import type { Figure } from '../figure.ts';
import type { LoadResult } from '../load/load-result.ts';
import type { WebSocketLoadOptions, WebSocketLoadReport } from '../load/websocket-load.ts';
import { inTurns, measureSlice } from '../measure.ts';
import { LOAD_CORE } from '../pinned-processes.ts';
import { ECHO_HOST } from '../proxies/proxy.ts';
import { BETTER_OF_BOTH } from './throughput.ts';

const CONNECTIONS = 64;
const GRACE_MS = 20_000;
const SCRIPT = join(import.meta.dirname, '../load/websocket-load.ts');

export async function measureWebSocket(bench: Bench): Promise<Figure> {
  const turns = (await bench.proxies()).map(({ name, process, echoPort: port, accessLog }) => {
    const load = (seconds: number) =>
      runLoad(bench, { port, host: ECHO_HOST, connections: CONNECTIONS, seconds });
    const { seconds } = bench;
    const log = accessLog === undefined ? {} : { accessLog };
    return [name, () => measureSlice({ pid: process.pid, load, seconds, ...log })] as const;
  });
  return {
    name: 'WebSocket echo, 64 connections',
    unit: 'messages/s',
    readings: await inTurns(bench.rounds, Object.fromEntries(turns)),
    targets: [BETTER_OF_BOTH],
  };
}

async function runLoad(bench: Bench, options: WebSocketLoadOptions): Promise<LoadResult> {
  const argv = [process.execPath, SCRIPT, JSON.stringify(options)] as const;
  const timeoutMs = options.seconds * 1_000 + GRACE_MS;
  const output = await bench.processes.run({ core: LOAD_CORE, argv }, timeoutMs);
  const { messages, seconds } = JSON.parse(output) as WebSocketLoadReport;
  if (messages === 0) throw new Error('no message came back');
  return { operations: messages, seconds };
}
