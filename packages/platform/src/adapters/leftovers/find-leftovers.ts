// Everything of an installation that the kernel still holds, a line for each: empty after
// `script/down`.
import { readdir } from 'node:fs/promises';
import { runCommand } from '../../lib/run-command.ts';
import { findCgroups } from './cgroups.ts';
import type { Mark } from './mark.ts';
import { findLoopDevices, findMounts } from './mounts.ts';
import { findProcesses } from './processes.ts';

const TIMEOUT_MS = 10_000;

export async function findLeftovers(mark: Mark): Promise<string[]> {
  const [processes, mounts, loops, cgroups, network] = await Promise.all([
    findProcesses(mark),
    findMounts(mark),
    findLoopDevices(mark),
    findCgroups(mark),
    findNetwork(mark),
  ]);
  return [
    ...processes.map(({ pid, command }) => `process ${pid} ${command.slice(0, 100)}`),
    ...mounts.map((path) => `mount ${path}`),
    ...loops.map(({ device, file }) => `loop device ${device} on ${file}`),
    ...cgroups.map((path) => `cgroup ${path}`),
    ...network,
  ];
}

async function findNetwork(mark: Mark): Promise<string[]> {
  const [namespaces, interfaces, tables, routes] = await Promise.all([
    readdir('/run/netns').catch(() => []),
    readdir('/sys/class/net'),
    runCommand(['nft', 'list', 'tables'], { timeoutMs: TIMEOUT_MS }),
    Promise.all(mark.ranges.map(routesTo)),
  ]);
  const isOurs = (name: string) => name.startsWith(mark.interfacePrefix);
  return [
    ...namespaces.filter(isOurs).map((name) => `network namespace ${name}`),
    ...interfaces.filter(isOurs).map((name) => `interface ${name}`),
    ...tables.stdout
      .split('\n')
      .filter((line) => line.split(' ').at(-1)?.startsWith(mark.nftTable))
      .map((line) => `nft ${line}`),
    ...routes.flat().map((route) => `route ${route}`),
  ];
}

async function routesTo(range: string): Promise<string[]> {
  const family = range.includes(':') ? '-6' : '-4';
  const argv = ['ip', family, 'route', 'show', 'table', 'all', 'root', range] as const;
  const { stdout } = await runCommand(argv, { timeoutMs: TIMEOUT_MS });
  return stdout.split('\n').filter((line) => line !== '');
}
