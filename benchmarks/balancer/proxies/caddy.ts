// Caddy, whose Go runtime sees the one core it may use. It keeps more idle connections to the backend
// than its default of 32, which would have it reconnect all the time.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '../../free-port.ts';
import { PROXY_CORE } from '../pinned-processes.ts';
import type { Proxy, ProxyPlace } from './proxy.ts';

export async function startCaddy(place: ProxyPlace): Promise<Proxy> {
  const { directory, processes } = place;
  const [httpPort, echoPort] = [await freePort(), await freePort()];
  const accessLog = join(directory, 'access.log');
  const file = join(directory, 'Caddyfile');
  const site = (port: number, upstream: number) => `http://:${port} {
  bind 127.0.0.1
  log {
    output file ${accessLog} {
      roll_disabled
    }
  }
  reverse_proxy 127.0.0.1:${upstream} {
    header_up X-Request-Id {http.request.uuid}
    transport http {
      keepalive_idle_conns_per_host 1024
    }
  }
}
`;
  const global = '{\n  admin off\n  auto_https off\n}\n';
  await writeFile(
    file,
    global + site(httpPort, place.backendPort) + site(echoPort, place.echoPort),
  );
  const process = processes.start({
    core: PROXY_CORE,
    argv: ['caddy', 'run', '--config', file, '--adapter', 'caddyfile'],
    env: { HOME: directory, XDG_DATA_HOME: directory, XDG_CONFIG_HOME: directory, GOMAXPROCS: '1' },
  });
  return { name: 'Caddy', process, httpPort, echoPort, accessLog };
}
