// HAProxy with one thread. Its log goes to standard output, a file: of its ways to deliver every line
// (file, datagram socket with a reader, ring with a reader) none was cheaper, and datagrams cost a
// third more.
import { open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '../../free-port.ts';
import { PROXY_CORE } from '../pinned-processes.ts';
import { CONNECTIONS_MAX, type Proxy, type ProxyPlace } from './proxy.ts';

export async function startHaproxy(
  place: ProxyPlace,
  { isBare = false }: { readonly isBare?: boolean } = {},
): Promise<Proxy> {
  const { directory, processes } = place;
  const [httpPort, echoPort] = [await freePort(), await freePort()];
  const accessLog = join(directory, 'access.log');
  const file = join(directory, 'haproxy.cfg');
  await writeFile(file, configuration(place, { httpPort, echoPort, isBare }));
  // Appending, so that the file may be emptied between rounds.
  const stdout = await open(accessLog, 'a');
  const process = processes.start({
    core: PROXY_CORE,
    argv: ['haproxy', '-db', '-f', file],
    stdoutFd: stdout.fd,
  });
  await stdout.close();
  const ports = { process, httpPort, echoPort };
  return isBare ? { name: 'HAProxy bare', ...ports } : { name: 'HAProxy', ...ports, accessLog };
}

interface Choices {
  readonly httpPort: number;
  readonly echoPort: number;
  readonly isBare: boolean;
}

function configuration(place: ProxyPlace, { httpPort, echoPort, isBare }: Choices): string {
  const whole = `
  log global
  option httplog
  unique-id-format %{+X}o\\ %ci:%cp_%fi:%fp_%Ts_%rt:%pid
  unique-id-header X-Request-Id`;
  const frontend = (name: string, port: number) => `frontend ${name}-in
  bind 127.0.0.1:${port} backlog 4096
  option forwardfor
  http-request set-header X-Forwarded-Proto http
  http-request set-header X-Forwarded-Host %[req.hdr(host)]${isBare ? '' : whole}
  default_backend ${name}
backend ${name}
  http-reuse aggressive
  server one 127.0.0.1:${name === 'http' ? place.backendPort : place.echoPort}
`;
  return `global
  nbthread 1
  maxconn ${CONNECTIONS_MAX}
${isBare ? '' : '  log stdout format raw local0\n'}defaults
  mode http
  timeout connect 5s
  timeout client 75s
  timeout server 75s
  timeout tunnel 75s
${frontend('http', httpPort)}${frontend('echo', echoPort)}`;
}
