// Ten thousand clients that keep their connections and say nothing.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { ask } from '../support/balancer-server.ts';
import type { Resources } from '../support/resources.ts';
import { runTypeScript } from '../support/run-typescript.ts';
import { ScriptedApp } from '../support/scripted-app.ts';

const KIB = 1024;
const CONNECTIONS = 10_000;
const AT_ONCE = 100;
/** Of memory that the kernel counts as ours, for each. */
const BYTES_MAX = 8 * KIB;
const GET = 'GET / HTTP/1.1\r\nHost: a.test\r\n\r\n';
const BALANCER = join(import.meta.dirname, '../support/idle-balancer.ts');

type Held = Resources & { readonly residentBytes: number };

async function openIdle(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write(GET);
  await once(socket, 'data');
  return socket;
}

it('idle connections cost little, keep nobody waiting, and leave nothing', async () => {
  const app = await ScriptedApp.start();
  const balancer = runTypeScript(BALANCER, [String(app.upstream.port), String(CONNECTIONS + 100)]);
  const lines = createInterface({ input: balancer.stdout })[Symbol.asyncIterator]();
  const nextLine = async (): Promise<string> => String((await lines.next()).value);
  const held = async (): Promise<Held> => {
    balancer.kill('SIGUSR2');
    return JSON.parse(await nextLine()) as Held;
  };
  const sockets: Socket[] = [];
  try {
    const port = Number(await nextLine());
    for (let n = 0; n < 200; n += 1) await ask(port);
    const before = await held();
    while (sockets.length < CONNECTIONS)
      sockets.push(...(await Promise.all(Array.from({ length: AT_ONCE }, () => openIdle(port)))));
    const during = await held();
    expect(during.sockets).toBeGreaterThanOrEqual(CONNECTIONS);
    const bytesEach = (during.residentBytes - before.residentBytes) / CONNECTIONS;
    console.log(`${Math.round(bytesEach)} bytes resident for each idle connection`);
    const startedMs = performance.now();
    expect((await ask(port)).status).toBe(200);
    expect(performance.now() - startedMs).toBeLessThan(500);
    for (const socket of sockets) socket.destroy();
    await sleep(2_000);
    const after = await held();
    expect(after.sockets).toBeLessThan(before.sockets + AT_ONCE + 1);
    expect(after.bytes).toBeLessThan(before.bytes + 24 * KIB * KIB);
    expect(bytesEach).toBeLessThan(BYTES_MAX);
  } finally {
    for (const socket of sockets) socket.destroy();
    balancer.kill('SIGKILL');
    await app.close();
  }
});
