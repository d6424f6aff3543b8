// Our balancer as people run it alone: one worker, every default on, its access log in a file.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '../../free-port.ts';
import { PROXY_CORE, type PinnedProcess } from '../pinned-processes.ts';
import { ECHO_HOST, HTTP_HOST, type Proxy, type ProxyPlace, type TlsFiles } from './proxy.ts';

const DAEMON = join(
  import.meta.dirname,
  '../../../packages/platform/dist/daemons/standalone-balancer.js',
);

export interface StandaloneRoute {
  readonly host: string;
  readonly path: string;
  readonly upstreams: readonly string[];
}

export interface Standalone {
  readonly process: PinnedProcess;
  readonly port: number;
  readonly routesFile: string;
  readonly accessLog: string;
}

export async function startTandem(place: ProxyPlace): Promise<Proxy> {
  const httpsPort = await freePort();
  const { port, process, accessLog } = await startStandalone(
    place,
    [routeTo(HTTP_HOST, place.backendPort), routeTo(ECHO_HOST, place.echoPort)],
    place.tls === undefined ? [] : tlsArguments(httpsPort, place.tls),
  );
  const ports = { httpPort: port, echoPort: port, ...(place.tls && { httpsPort }) };
  return { name: 'Tandem', process, ...ports, accessLog };
}

export async function startStandalone(
  { processes, directory }: Pick<ProxyPlace, 'processes' | 'directory'>,
  routes: readonly StandaloneRoute[],
  more: readonly string[] = [],
): Promise<Standalone> {
  const port = await freePort();
  const routesFile = join(directory, 'routes.json');
  const accessLog = join(directory, 'access.log');
  await writeFile(routesFile, routesText(routes));
  const where = ['--listen', `127.0.0.1:${port}`, '--routes', routesFile];
  const process = processes.start({
    core: PROXY_CORE,
    argv: [
      globalThis.process.execPath,
      DAEMON,
      ...where,
      '--workers',
      '1',
      '--access-log',
      accessLog,
      ...more,
    ],
  });
  return { process, port, routesFile, accessLog };
}

const tlsArguments = (port: number, { certificate, key }: TlsFiles): string[] => [
  ...['--listen-tls', `127.0.0.1:${port}`, '--certificate', certificate, '--key', key],
];

export function routeTo(host: string, port: number): StandaloneRoute {
  return { host, path: '/', upstreams: [`127.0.0.1:${port}`] };
}

export function routesText(routes: readonly StandaloneRoute[]): string {
  return JSON.stringify({ routes });
}
