// Every measurement by its name on the command line, in the order of the report.
import type { Bench } from '../bench.ts';
import type { Figure } from '../figure.ts';
import { measureHostnames } from './hostnames.ts';
import { measureLatency } from './latency.ts';
import { measureMemory } from './memory.ts';
import { measureRouteUpdate } from './route-update.ts';
import { measureThroughput, SHAPES, type Shape } from './throughput.ts';
import { measureTls } from './tls.ts';
import { measureWebSocket } from './websocket.ts';
import { measureWholeWay } from './whole-way.ts';

export type Measurement = (bench: Bench) => Promise<Figure[]>;

const throughput = Object.entries<Shape>(SHAPES).map(([name, shape]): [string, Measurement] => [
  name,
  async (bench) => [await measureThroughput(bench, shape)],
]);

export const MEASUREMENTS: ReadonlyMap<string, Measurement> = new Map<string, Measurement>([
  ...throughput,
  ['websocket', async (bench) => [await measureWebSocket(bench)]],
  ['tls', measureTls],
  ['latency', async (bench) => [await measureLatency(bench)]],
  ['hostnames', measureHostnames],
  ['route-update', async (bench) => [await measureRouteUpdate(bench)]],
  ['memory', measureMemory],
  ['whole-way', async (bench) => [await measureWholeWay(bench)]],
]);

/** Said in the report, so that an absent line is not taken for a met target. */
export const NOT_MEASURED: readonly string[] = ['the whole way with the app in its sandbox'];
