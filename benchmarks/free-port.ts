import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';

/** Of loopback. Free a moment ago: whoever takes it must do so soon. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
