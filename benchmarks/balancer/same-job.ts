// A comparison is worth something only when everyone does the same: looked at once, before any load.
import { stat } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { get } from '../http.ts';
import { SEEN_PATH } from './backend.ts';
import { HTTP_HOST, type Proxy } from './proxies/proxy.ts';

const LOG_WAIT_MS = 10_000;
const LOG_POLL_MS = 50;

/** Throws unless the proxy adds every header it should, and logs the request if it is to log. */
export async function requireSameJob(proxy: Proxy): Promise<void> {
  const address = { port: proxy.httpPort, host: HTTP_HOST };
  const { body } = await get({ ...address, path: SEEN_PATH });
  const [client, proto, host, id] = body.split('|');
  const isForwarded = client === '127.0.0.1' && proto === 'http' && host === HTTP_HOST;
  if (!isForwarded) throw new Error(`${proxy.name} does not forward as the others do: ${body}`);
  const isBare = proxy.accessLog === undefined;
  if ((id === '') !== isBare) throw new Error(`${proxy.name}: request id "${id}"`);
  if (proxy.accessLog !== undefined) await untilLogged(proxy.name, proxy.accessLog);
}

async function untilLogged(name: string, path: string): Promise<void> {
  const endMs = performance.now() + LOG_WAIT_MS;
  while (((await stat(path).catch(() => undefined))?.size ?? 0) === 0) {
    if (performance.now() > endMs) throw new Error(`${name} logged nothing to ${path}`);
    await delay(LOG_POLL_MS);
  }
}
