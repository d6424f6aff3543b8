// Resident memory of a worker: right after its start, and for each keep-alive connection that idles.
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Bench } from '../bench.ts';
import type { Figure, Reading } from '../figure.ts';
import { LOAD_CORE, type PinnedProcess } from '../pinned-processes.ts';
import { workerBytes } from '../process-tree.ts';
import { HTTP_HOST, type Proxy, type ProxyName } from '../proxies/proxy.ts';

const NAMES: readonly ProxyName[] = ['Tandem', 'nginx', 'HAProxy', 'Caddy'];
const ROUNDS_MAX = 3;
/** They pay for code that runs for the first time, and do not count. */
const CONNECTIONS_FIRST = 1_000;
const CONNECTIONS_MORE = 5_000;
const SETTLE_MS = 3_000;
const SCRIPT = join(import.meta.dirname, '../load/idle-connections.ts');

interface MemoryRound {
  readonly idleMiB: number;
  readonly connectionKiB: number;
}

export async function measureMemory(bench: Bench): Promise<Figure[]> {
  const rounds = await memoryRounds(bench);
  const readings = (pick: (round: MemoryRound) => number): Record<string, Reading[]> =>
    Object.fromEntries(
      [...rounds].map(([name, each]) => [name, each.map((round) => ({ value: pick(round) }))]),
    );
  return [
    {
      name: 'a worker that idles',
      unit: 'MiB',
      readings: readings(({ idleMiB }) => idleMiB),
      targets: [{ of: 'Tandem', atMost: 60 }],
    },
    {
      name: 'an idle keep-alive connection',
      unit: 'KiB',
      readings: readings(({ connectionKiB }) => connectionKiB),
      targets: [{ of: 'Tandem', atMost: 8 }],
    },
  ];
}

async function memoryRounds(bench: Bench): Promise<Map<ProxyName, MemoryRound[]>> {
  const rounds = new Map<ProxyName, MemoryRound[]>(NAMES.map((name) => [name, []]));
  for (let round = 0; round < Math.min(bench.rounds, ROUNDS_MAX); round += 1) {
    for (const [name, taken] of rounds) {
      const proxy = await bench.startProxy(name);
      taken.push(await memoryOf(bench, proxy));
      await bench.processes.stop(proxy.process);
    }
  }
  return rounds;
}

async function memoryOf(bench: Bench, proxy: Proxy): Promise<MemoryRound> {
  const settled = async (): Promise<number> => {
    await delay(SETTLE_MS);
    return await workerBytes(proxy.process.pid);
  };
  const idleBytes = await settled();
  const first = await holdConnections(bench, proxy, CONNECTIONS_FIRST);
  const beforeBytes = await settled();
  const more = await holdConnections(bench, proxy, CONNECTIONS_MORE);
  const afterBytes = await settled();
  for (const holder of [first, more]) {
    if (holder.hasEnded) throw holder.failure();
    await bench.processes.stop(holder);
  }
  return {
    idleMiB: idleBytes / 1024 / 1024,
    connectionKiB: (afterBytes - beforeBytes) / CONNECTIONS_MORE / 1024,
  };
}

async function holdConnections(bench: Bench, proxy: Proxy, count: number): Promise<PinnedProcess> {
  const argv = [
    process.execPath,
    SCRIPT,
    String(proxy.httpPort),
    HTTP_HOST,
    String(count),
  ] as const;
  return await bench.processes.startUntilLine({ core: LOAD_CORE, argv });
}
