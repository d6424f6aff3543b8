// nginx with one worker. More generous than its defaults where those would hold it back: connections
// to the backend are kept and last, answers do not go through temporary files.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '../../free-port.ts';
import { PROXY_CORE } from '../pinned-processes.ts';
import { CONNECTIONS_MAX, type Proxy, type ProxyPlace } from './proxy.ts';

export async function startNginx(
  place: ProxyPlace,
  { isBare = false }: { readonly isBare?: boolean } = {},
): Promise<Proxy> {
  const { directory, processes } = place;
  const [httpPort, echoPort, httpsPort] = [await freePort(), await freePort(), await freePort()];
  const accessLog = join(directory, 'access.log');
  const file = join(directory, 'nginx.conf');
  await writeFile(
    file,
    configuration(place, { httpPort, echoPort, httpsPort }, isBare ? undefined : accessLog),
  );
  const process = processes.start({
    core: PROXY_CORE,
    argv: ['nginx', '-e', 'stderr', '-p', directory, '-c', file],
  });
  const ports = { process, httpPort, echoPort, ...(place.tls && { httpsPort }) };
  return isBare ? { name: 'nginx bare', ...ports } : { name: 'nginx', ...ports, accessLog };
}

function configuration(
  { backendPort, echoPort: echo, tls }: ProxyPlace,
  ports: { readonly httpPort: number; readonly echoPort: number; readonly httpsPort: number },
  accessLog: string | undefined,
): string {
  const { httpPort, echoPort, httpsPort } = ports;
  const listenTls =
    tls === undefined
      ? ''
      : `listen 127.0.0.1:${httpsPort} ssl backlog=4096;
    ssl_certificate ${tls.certificate}; ssl_certificate_key ${tls.key}; ssl_protocols TLSv1.2 TLSv1.3;`;
  const log = accessLog === undefined ? 'off' : `${accessLog} combined buffer=64k flush=1s`;
  const id = accessLog === undefined ? '' : 'proxy_set_header X-Request-Id $request_id;';
  return `daemon off;
pid nginx.pid;
worker_processes 1;
worker_rlimit_nofile ${2 * CONNECTIONS_MAX};
error_log stderr error;
events { worker_connections ${2 * CONNECTIONS_MAX}; }
http {
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  access_log ${log};
  keepalive_requests 100000000;
  proxy_http_version 1.1;
  proxy_max_temp_file_size 0;
  proxy_set_header Host $http_host;
  proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
  proxy_set_header X-Forwarded-Proto $scheme;
  proxy_set_header X-Forwarded-Host $http_host;
  ${id}
  map $http_upgrade $connection_header { default upgrade; '' ''; }
  proxy_set_header Upgrade $http_upgrade;
  proxy_set_header Connection $connection_header;
  upstream backend { server 127.0.0.1:${backendPort}; keepalive 1024; keepalive_requests 100000000; }
  upstream echo { server 127.0.0.1:${echo}; }
  server { listen 127.0.0.1:${httpPort} backlog=4096; ${listenTls} location / { proxy_pass http://backend; } }
  server { listen 127.0.0.1:${echoPort} backlog=4096; location / { proxy_pass http://echo; } }
}
`;
}
