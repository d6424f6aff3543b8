// TLS 1.3 with the same P-256 certificate: requests on connections that stay, and new connections.
import { join } from 'node:path';
import { run } from '../../command.ts';
import { SMALL_PATH } from '../backend.ts';
import type { Bench } from '../bench.ts';
import type { Figure, RatioTarget, Reading } from '../figure.ts';
import { runHandshakes } from '../load/handshakes.ts';
import type { LoadResult } from '../load/load-result.ts';
import { runWrk } from '../load/wrk.ts';
import { inTurns, measureSlice } from '../measure.ts';
import { HTTP_HOST, type Proxy, type ProxyName, type TlsFiles } from '../proxies/proxy.ts';
import { SYSTEM_PATH } from '../tools.ts';

const NAMES: readonly ProxyName[] = ['Tandem', 'nginx'];
const CONNECTIONS = 64;
const TARGETS: readonly RatioTarget[] = [{ of: 'Tandem', against: ['nginx'], atLeast: 0.9 }];

type Load = (port: number, seconds: number) => Promise<LoadResult>;

export async function measureTls(bench: Bench): Promise<Figure[]> {
  const tls = await makeCertificate(await bench.directory('tls'));
  const proxies: Proxy[] = [];
  for (const name of NAMES) proxies.push(await bench.startProxy(name, { tls }));
  const { processes } = bench;
  const requests: Load = (port, seconds) =>
    runWrk(processes, {
      ...{ port, host: HTTP_HOST, path: SMALL_PATH, connections: CONNECTIONS, seconds },
      isTls: true,
    });
  const handshakes: Load = (port, seconds) => runHandshakes(processes, { port, seconds });
  const figures: Figure[] = [
    {
      ...{ name: 'TLS 1.3, small response, 64 connections', unit: 'requests/s' },
      ...{ readings: await measureAll(bench, proxies, requests), targets: TARGETS },
    },
    {
      ...{ name: 'TLS 1.3, new connections', unit: 'connections/s' },
      ...{ readings: await measureAll(bench, proxies, handshakes), targets: TARGETS },
    },
  ];
  for (const { process } of proxies) await processes.stop(process);
  return figures;
}

function measureAll(
  { rounds, seconds }: Bench,
  proxies: readonly Proxy[],
  load: Load,
): Promise<Record<string, Reading[]>> {
  const turns = proxies.map(({ name, process, httpsPort = 0, accessLog }) => {
    const log = accessLog === undefined ? {} : { accessLog };
    const slice = { pid: process.pid, seconds, ...log };
    return [
      name,
      () => measureSlice({ ...slice, load: (duration) => load(httpsPort, duration) }),
    ] as const;
  });
  return inTurns(rounds, Object.fromEntries(turns));
}

async function makeCertificate(directory: string): Promise<TlsFiles> {
  const files = { certificate: join(directory, 'cert.pem'), key: join(directory, 'key.pem') };
  await run(
    [
      ...(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt'] as const),
      ...['ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', `/CN=${HTTP_HOST}`],
      ...['-addext', `subjectAltName=DNS:${HTTP_HOST}`],
      ...['-out', files.certificate, '-keyout', files.key],
    ],
    { env: { PATH: SYSTEM_PATH } },
  );
  return files;
}
