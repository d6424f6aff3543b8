// Apps that reset, stall, close early, say too much or too little: each costs its own request and a
// bounded time, and leaves nothing behind.
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ask, type Backend, rawBackend, TestBalancer } from '../support/balancer-server.ts';
import { RawClient } from '../support/raw-client.ts';
import { type Resources, resourcesNow, returnTo } from '../support/resources.ts';
import { OK } from '../support/scripted-app.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const LIMIT_MS = 400;
const HOST = 'Host: a.test\r\n';
const GET = `GET / HTTP/1.1\r\n${HOST}\r\n`;
const POST = `POST / HTTP/1.1\r\n${HOST}Content-Length: 2\r\n\r\nhi`;

let balancer: TestBalancer;
let before: Resources;
const backends: Backend[] = [];
const clients: RawClient[] = [];

beforeEach(async () => {
  before = resourcesNow();
  balancer = new TestBalancer({
    limits: { responseTimeoutMs: LIMIT_MS, connectTimeoutMs: LIMIT_MS },
  });
  await balancer.listen();
});

afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  for (const backend of backends.splice(0)) await backend.close();
  await balancer.close();
  await returnTo(before);
});

/** The one app; `onConnection` is all it does. */
async function run(onConnection: (socket: Socket) => void): Promise<Backend> {
  const backend = await rawBackend(onConnection);
  backends.push(backend);
  balancer.to([backend.upstream]);
  return backend;
}

/** Does something with each request that it reads the head of. */
const onRequest = (does: (socket: Socket) => void) => (socket: Socket) =>
  void socket.on('data', (chunk: Buffer) => {
    if (chunk.includes(' HTTP/1.1\r\n')) does(socket);
  });

/** Does something once a request is there, without having read it. */
const unread = (does: (socket: Socket) => void) => (socket: Socket) => {
  socket.pause();
  setTimeout(() => does(socket), 30);
};

async function open(bytes: string): Promise<RawClient> {
  const client = await RawClient.open(balancer.port, bytes);
  clients.push(client);
  return client;
}

/** The status of the answer, or `cut` when it did not come whole. */
async function outcome(bytes: string): Promise<number | 'cut'> {
  const client = await open(bytes);
  return client.answer().then(
    ({ status }) => status,
    (error: Error) => {
      if (!error.message.includes('before the end')) throw error;
      return 'cut';
    },
  );
}

/** Writes as fast as it is read, for ever. */
function pourForEver(socket: Socket, block: Buffer): { readonly bytes: number } {
  const poured = { bytes: 0 };
  const fill = (): void => {
    while (!socket.destroyed && socket.writable) {
      poured.bytes += block.length;
      if (!socket.write(block)) break;
    }
  };
  socket.on('drain', fill);
  fill();
  return poured;
}

describe('an app that resets', () => {
  it.each<[when: string, does: (socket: Socket) => void, outcome: (number | 'cut')[]]>([
    ['before it reads', unread((socket) => socket.resetAndDestroy()), [502]],
    ['when it has the request', onRequest((socket) => socket.resetAndDestroy()), [502]],
    [
      'in the middle of its head',
      onRequest((socket) => socket.write('HTTP/1.1 200 OK\r\nCon', () => socket.resetAndDestroy())),
      [502],
    ],
    [
      'in the middle of its body',
      onRequest((socket) => {
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${MIB}\r\n\r\nhalf`);
        setTimeout(() => socket.resetAndDestroy(), 30);
      }),
      [502, 'cut'],
    ],
    [
      'between two chunks',
      onRequest((socket) => {
        socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n');
        setTimeout(() => socket.resetAndDestroy(), 30);
      }),
      [502, 'cut'],
    ],
  ])('%s fails the request and no other', async (_, does, outcomes) => {
    await run(does);
    const seen = await Promise.all(Array.from({ length: 20 }, () => outcome(POST)));
    expect(outcomes).toEqual(expect.arrayContaining([...new Set(seen)]));
    await run(onRequest((socket) => socket.write(OK)));
    expect((await ask(balancer.port)).status).toBe(200);
  });

  it('300 times leaves nothing behind', async () => {
    let asked = 0;
    await run(
      onRequest((socket) => {
        asked += 1;
        if (asked % 3 === 0) socket.resetAndDestroy();
        else if (asked % 3 === 1) socket.end(OK.slice(0, -1));
        else socket.write(OK);
      }),
    );
    for (let n = 0; n < 10; n += 1) {
      await Promise.all(Array.from({ length: 30 }, () => outcome(POST)));
      for (const client of clients.splice(0)) client.close();
    }
    // Kept connections to the app are all that is left.
    await returnTo({ ...resourcesNow(), sockets: before.sockets + 2 + 2 * 256 });
  });
});

describe('an app that stalls', () => {
  it('without an answer is given up in time, with 504', async () => {
    let closed = 0;
    await run((socket) => void socket.resume().on('close', () => (closed += 1)));
    const startedMs = performance.now();
    const seen = await Promise.all(Array.from({ length: 10 }, () => outcome(POST)));
    expect(new Set(seen)).toEqual(new Set([504]));
    expect(performance.now() - startedMs).toBeLessThan(2_500);
    await vi.waitUntil(() => closed === 10, { timeout: 2_000 });
  });

  it('in the middle of its head is given up in time, with 504 or 502', async () => {
    await run(onRequest((socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Le')));
    expect([502, 504]).toContain(await outcome(POST));
  });

  it('behind a 1xx is given up in time, with 504 or 502', async () => {
    await run(onRequest((socket) => socket.write('HTTP/1.1 103 Early Hints\r\n\r\n')));
    const client = await open(POST);
    let { status } = await client.answer();
    if (status === 103) ({ status } = await client.answer());
    expect([502, 504]).toContain(status);
  });

  it('in the middle of its body is left when the client leaves', async () => {
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    await run((socket) => {
      socket.on('close', () => resolve());
      onRequest(() => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nhalf'))(
        socket,
      );
    });
    const client = await open(POST);
    await vi.waitUntil(() => client.rest.includes('half'), { timeout: 3_000 });
    client.close();
    await closed;
  });

  it('while it is sent a body is left when the client leaves', async () => {
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    await run((socket) => void socket.pause().on('close', () => resolve()));
    const client = await open(`POST / HTTP/1.1\r\n${HOST}Content-Length: ${64 * MIB}\r\n\r\n`);
    pourForEver(client.socket, Buffer.alloc(64 * KIB));
    await sleep(200);
    client.close();
    for (const backend of backends) expect(backend.connections).toBe(1);
    await backends.splice(0)[0]?.close();
    await closed;
  });

  it('in 50 requests keeps those of another instance moving', async () => {
    const stalling = await rawBackend((socket) => void socket.resume());
    backends.push(stalling);
    const well = await rawBackend(onRequest((socket) => socket.write(OK)));
    backends.push(well);
    balancer.set({
      appId: 1,
      appName: 'app1',
      routes: [
        {
          host: 'a.test',
          path: '/',
          target: { kind: 'upstreams', upstreams: [stalling.upstream] },
        },
        { host: 'b.test', path: '/', target: { kind: 'upstreams', upstreams: [well.upstream] } },
      ],
    });
    const stalled = Array.from({ length: 50 }, () => outcome(POST));
    const startedMs = performance.now();
    for (let n = 0; n < 20; n += 1)
      expect((await ask(balancer.port, { host: 'b.test' })).status).toBe(200);
    expect(performance.now() - startedMs).toBeLessThan(1_000);
    await Promise.all(stalled);
  });
});

describe('an app that closes early', () => {
  it('before it reads: 502 for what cannot be repeated', async () => {
    await run(unread((socket) => socket.end()));
    expect(await outcome(POST)).toBe(502);
  });

  it('its half of the connection, with the request read: 502', async () => {
    await run(onRequest((socket) => socket.end()));
    expect(await outcome(POST)).toBe(502);
  });

  it('behind a whole answer that promised more: the next request goes elsewhere', async () => {
    const backend = await run(
      onRequest((socket) => {
        socket.write(OK);
        setTimeout(() => socket.end(), 20);
      }),
    );
    for (let n = 0; n < 5; n += 1) {
      expect(await outcome(POST)).toBe(200);
      await sleep(60);
    }
    expect(backend.connections).toBe(5);
  });
});

describe('an app that says too much', () => {
  it.each([
    ['headers', 'HTTP/1.1 200 OK\r\n', 'A: b\r\n'],
    ['one header', 'HTTP/1.1 200 OK\r\nA: ', 'x'],
    ['a reason', 'HTTP/1.1 200 ', 'x'],
    ['1xx', '', 'HTTP/1.1 102 Processing\r\n\r\n'],
    ['empty lines', '', '\r\n'],
    ['garbage', '', 'garbage '],
  ])('an endless flood of %s ends with 502 or 504, soon', async (_, start, more) => {
    const floods: { readonly bytes: number }[] = [];
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    await run((socket) => {
      socket.once('close', resolve);
      socket.once('data', () => {
        socket.write(start);
        floods.push(pourForEver(socket, Buffer.from(more.repeat((64 * KIB) / more.length))));
      });
    });
    const client = await open(POST);
    let { status } = await client.answer();
    while (status < 200) ({ status } = await client.answer());
    expect([502, 504]).toContain(status);
    await closed;
    expect(floods[0]?.bytes).toBeLessThan(16 * MIB);
  });

  it.each([
    ['a chunk extension', '1;', 'x'],
    ['chunk size digits', '', '0'],
    ['trailers', '1\r\nx\r\n0\r\n', 'A: b\r\n'],
  ])('an endless flood of %s ends with a cut, soon', async (_, start, more) => {
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    await run((socket) => {
      socket.once('close', resolve);
      socket.once('data', () => {
        socket.write(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${start}`);
        pourForEver(socket, Buffer.from(more.repeat((64 * KIB) / more.length)));
      });
    });
    expect(['cut', 502]).toContain(await outcome(POST));
    await closed;
  });

  it('a body longer than its length is cut to it, and its connection closed', async () => {
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    await run((socket) => {
      socket.once('close', resolve);
      socket.once('data', () => {
        socket.write(OK);
        pourForEver(socket, Buffer.alloc(64 * KIB, 'x'));
      });
    });
    const client = await open(POST);
    expect((await client.answer()).body).toBe('ok');
    await closed;
    expect(await client.isSilent(50)).toBe(true);
  });

  it('bytes on a connection that waits for its next request close it', async () => {
    const backend = await run(
      onRequest((socket) => {
        socket.write(OK);
        setTimeout(() => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil'), 20);
      }),
    );
    for (let n = 0; n < 5; n += 1) {
      expect((await (await open(POST)).answer()).body).toBe('ok');
      await sleep(60);
    }
    expect(backend.connections).toBe(5);
  });

  it('an endless body for a client that does not read is read no further than a bound', async () => {
    const floods: { readonly bytes: number }[] = [];
    await run(
      onRequest((socket) => {
        socket.write(`HTTP/1.1 200 OK\r\n\r\n`);
        floods.push(pourForEver(socket, Buffer.alloc(64 * KIB)));
      }),
    );
    const client = await open('');
    client.socket.pause();
    client.write(GET);
    await sleep(500);
    const poured = floods[0]?.bytes;
    await sleep(200);
    expect(floods[0]?.bytes).toBe(poured);
    expect(poured).toBeLessThan(40 * MIB);
  });
});

describe('an app that answers before the body was sent', () => {
  const size = 32 * MIB;
  const upload = `POST / HTTP/1.1\r\n${HOST}Content-Length: ${size}\r\n\r\n`;
  const refusal = (more = ''): string =>
    `HTTP/1.1 413 Too Large\r\n${more}Content-Length: 3\r\n\r\nbig`;

  it.each<[how: string, does: (socket: Socket) => void]>([
    ['and closes', (socket) => socket.end(refusal('Connection: close\r\n'))],
    ['and reads on', (socket) => socket.write(refusal())],
    ['and reads no more', (socket) => void socket.pause().write(refusal())],
    [
      'and resets a moment later',
      (socket) =>
        socket.write(refusal(), () => void setTimeout(() => socket.resetAndDestroy(), 50)),
    ],
  ])('%s: the client has the answer, and the next request is not lost', async (_, does) => {
    let asked = 0;
    await run(
      onRequest((socket) => {
        asked += 1;
        if (asked === 1) does(socket);
        else socket.write(OK);
      }),
    );
    const client = await open(upload);
    client.write('x'.repeat(MIB));
    const answer = await client.answer();
    expect([answer.status, answer.body]).toEqual([413, 'big']);
    expect(await outcome(POST)).toBe(200);
    client.close();
  });

  it('does not keep the rest of the body', async () => {
    await run(onRequest((socket) => void socket.pause().write(refusal())));
    const client = await open(upload);
    const start = resourcesNow();
    let written = 0;
    while (written < size && client.socket.writable && !client.socket.destroyed) {
      written += MIB;
      const drained = once(client.socket, 'drain').catch(() => undefined);
      if (!client.socket.write(Buffer.alloc(MIB))) await Promise.race([drained, sleep(300)]);
    }
    expect(client.rest).toMatch(/^HTTP\/1\.1 413 /);
    expect(resourcesNow().bytes - start.bytes).toBeLessThan(size + 8 * MIB);
  });
});
