// What stands behind every proxy, on the core of the load: an nginx for HTTP and an echo of ours for
// WebSockets.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '../free-port.ts';
import { LOAD_CORE, type PinnedProcess, type PinnedProcesses } from './pinned-processes.ts';

export const SMALL_PATH = '/';
export const TEN_KILOBYTES_PATH = '/10k.bin';
export const MEGABYTE_PATH = '/1m.bin';
/** Answers with what a proxy added to the request. */
export const SEEN_PATH = '/seen';

const SMALL_BODY = 'Hello from the backend';
const ECHO_SERVER = join(import.meta.dirname, 'load/websocket-echo.ts');

export interface Backend {
  readonly process: PinnedProcess;
  readonly port: number;
}

export async function startHttpBackend(
  processes: PinnedProcesses,
  directory: string,
  smallBody = SMALL_BODY,
): Promise<Backend> {
  const port = await freePort();
  await mkdir(join(directory, 'files'), { recursive: true });
  await writeFile(join(directory, 'files/10k.bin'), Buffer.alloc(10 * 1024, 'x'));
  await writeFile(join(directory, 'files/1m.bin'), Buffer.alloc(1024 * 1024, 'x'));
  const file = join(directory, 'nginx.conf');
  await writeFile(file, configuration(port, smallBody));
  const process = processes.start({
    core: LOAD_CORE,
    argv: ['nginx', '-e', 'stderr', '-p', directory, '-c', file],
  });
  return { process, port };
}

export async function startEchoBackend(processes: PinnedProcesses): Promise<Backend> {
  const port = await freePort();
  const process = await processes.startUntilLine({
    core: LOAD_CORE,
    argv: [globalThis.process.execPath, ECHO_SERVER, String(port)],
  });
  return { process, port };
}

function configuration(port: number, smallBody: string): string {
  const seen = ['forwarded_for', 'forwarded_proto', 'forwarded_host', 'request_id'];
  return `daemon off;
pid nginx.pid;
worker_processes 1;
error_log stderr error;
events { worker_connections 18000; }
http {
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  access_log off;
  sendfile on;
  open_file_cache max=8;
  keepalive_requests 100000000;
  server {
    listen 127.0.0.1:${port} backlog=4096;
    root files;
    location = / { return 200 "${smallBody}"; }
    location = ${SEEN_PATH} { return 200 "${seen.map((name) => `$http_x_${name}`).join('|')}"; }
  }
}
`;
}
