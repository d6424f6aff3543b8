// WebSocket tunnels: bytes both ways, through drains and ends of either side.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type Backend,
  deadUpstream,
  rawBackend,
  TestBalancer,
} from '../support/balancer-server.ts';

let balancer: TestBalancer;
const backends: Backend[] = [];
const sockets: Socket[] = [];

beforeEach(async () => {
  balancer = new TestBalancer({ drainGrace: { requestMs: 100, tunnelMs: 400 } });
  await balancer.listen();
});

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await balancer.close();
  for (const backend of backends.splice(0)) await backend.close();
});

const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
const ACCEPT = createHash('sha1')
  .update(`${KEY}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
  .digest('base64');
const AGREED =
  'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
  `Sec-WebSocket-Accept: ${ACCEPT}\r\n\r\n`;

/** Agrees, then hands over the connection and the request head. */
async function webSocketApp(onTunnel: (socket: Socket, head: string) => void): Promise<Backend> {
  const backend = await rawBackend((socket) => {
    socket.once('data', (head: Buffer) => {
      socket.write(AGREED);
      onTunnel(socket, head.toString());
    });
  });
  backends.push(backend);
  return backend;
}

/** A client after its handshake, and what it was answered. */
async function openTunnel(extra = ''): Promise<{ socket: Socket; head: string }> {
  const socket = connect(balancer.port, '127.0.0.1');
  sockets.push(socket);
  socket.on('error', () => undefined);
  socket.write(
    'GET /chat HTTP/1.1\r\nHost: a.test\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n' +
      `Sec-WebSocket-Key: ${KEY}\r\nSec-WebSocket-Version: 13\r\nX-Forwarded-For: 6.6.6.6\r\n\r\n${extra}`,
  );
  const [head] = (await once(socket, 'data')) as [Buffer];
  return { socket, head: head.toString() };
}

const nextText = async (socket: Socket): Promise<string> => {
  const [chunk] = (await once(socket, 'data')) as [Buffer];
  return chunk.toString();
};

describe('a tunnel', () => {
  it('opens when the app agrees, and carries bytes both ways', async () => {
    let seen = '';
    const app = await webSocketApp((socket, head) => {
      seen = head;
      socket.on('data', (chunk) => socket.write(`echo ${chunk.toString()}`));
    });
    balancer.to([app.upstream]);
    const { socket, head } = await openTunnel();
    expect(head).toMatch(/^HTTP\/1\.1 101 Switching Protocols\r\n/);
    expect(head).toContain(`Sec-WebSocket-Accept: ${ACCEPT}`);
    expect(head).toMatch(/\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n/);
    socket.write('one');
    expect(await nextText(socket)).toBe('echo one');
    expect(seen).toMatch(/\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n/);
    expect(seen).toContain(`Sec-WebSocket-Key: ${KEY}`);
    expect(seen).toContain('X-Forwarded-For: 127.0.0.1');
    expect(seen).not.toContain('6.6.6.6');
    socket.end();
    await once(socket, 'close');
    await sleep(20);
    expect(balancer.access[0]).toMatchObject({ status: 101, path: '/chat', appId: 1 });
  });

  it('delivers what either side says right behind the handshake', async () => {
    const app = await rawBackend((socket) => {
      let all = '';
      socket.on('data', (chunk) => {
        all += chunk.toString();
        if (all.endsWith('early')) socket.end('got it');
        else if (all.includes('\r\n\r\n')) socket.write(`${AGREED}greeting`);
      });
    });
    backends.push(app);
    balancer.to([app.upstream]);
    const { socket, head } = await openTunnel('early');
    let text = head;
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
    await once(socket, 'close');
    expect(text).toMatch(/\r\n\r\ngreetinggot it$/);
  });

  it('is refused as the app refuses it', async () => {
    const app = await rawBackend((socket) => {
      socket.once('data', () =>
        socket.write('HTTP/1.1 403 Forbidden\r\nContent-Length: 4\r\nX-Why: no\r\n\r\nnope'),
      );
    });
    backends.push(app);
    balancer.to([app.upstream]);
    const { socket, head } = await openTunnel();
    let text = head;
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
    await once(socket, 'close');
    expect(text).toMatch(/^HTTP\/1\.1 403 Forbidden\r\n/);
    expect(text).toContain('X-Why: no');
    expect(text).toMatch(/nope$/);
  });

  it('is opened on another instance when one does not answer', async () => {
    const app = await webSocketApp((socket) => socket.write('here'));
    balancer.to([await deadUpstream(), app.upstream]);
    for (let n = 0; n < 5; n += 1) expect((await openTunnel()).head).toMatch(/101/);
  });

  it('gets an error page when there is no app', async () => {
    balancer.to([]);
    balancer.route({ kind: 'unavailable', reason: 'asleep' });
    const { head } = await openTunnel();
    expect(head).toMatch(/^HTTP\/1\.1 503 /);
    expect(head).toContain('Connection: close');
  });

  it('closes on both sides when the app dies, and when the client dies', async () => {
    let appSocket: Socket | undefined;
    const app = await webSocketApp((socket) => (appSocket = socket));
    balancer.to([app.upstream]);
    const first = await openTunnel();
    appSocket?.resetAndDestroy();
    await once(first.socket, 'close');
    const second = await openTunnel();
    const closed = once(appSocket as unknown as Socket, 'close');
    second.socket.resetAndDestroy();
    await closed;
  });
});

describe('a tunnel on an instance that is replaced', () => {
  it('lives through its grace, then is cut; new ones go to the new instance', async () => {
    const old = await webSocketApp((socket) => {
      socket.on('data', (chunk) => socket.write(`old ${chunk.toString()}`));
    });
    const next = await webSocketApp((socket) => {
      socket.on('data', (chunk) => socket.write(`new ${chunk.toString()}`));
    });
    balancer.to([old.upstream]);
    const { socket } = await openTunnel();
    let drained = 0;
    balancer.drain.onDrained = () => (drained += 1);
    balancer.to([next.upstream]);
    expect(balancer.drain.instanceIds).toEqual([old.upstream.instanceId]);
    // Longer than the grace of plain requests.
    await sleep(200);
    socket.write('still?');
    expect(await nextText(socket)).toBe('old still?');
    const other = await openTunnel();
    other.socket.write('hi');
    expect(await nextText(other.socket)).toBe('new hi');
    const startedMs = performance.now();
    await once(socket, 'close');
    expect(performance.now() - startedMs).toBeLessThan(600);
    await sleep(20);
    expect([drained, balancer.drain.instanceIds]).toEqual([1, []]);
    other.socket.write('hi');
    expect(await nextText(other.socket)).toBe('new hi');
  });

  it('frees the instance as soon as it closes', async () => {
    const old = await webSocketApp(() => undefined);
    balancer.to([old.upstream]);
    const { socket } = await openTunnel();
    const { promise: drained, resolve } = Promise.withResolvers<void>();
    balancer.drain.onDrained = resolve;
    balancer.to([]);
    socket.destroy();
    await drained;
    expect(balancer.drain.instanceIds).toEqual([]);
  });
});
