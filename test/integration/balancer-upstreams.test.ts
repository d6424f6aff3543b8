// The instances behind the balancer: those that misbehave, share, come and go, and the connections
// kept to them.
import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type Ask,
  ask,
  type Backend,
  collect,
  deadUpstream,
  httpBackend,
  rawBackend,
  TestBalancer,
} from '../support/balancer-server.ts';

let balancer: TestBalancer;
const backends: Backend[] = [];

beforeEach(async () => {
  balancer = new TestBalancer();
  await balancer.listen();
});

afterEach(async () => {
  await balancer.close();
  for (const backend of backends.splice(0)) await backend.close();
});

async function serve(
  respond: (request: IncomingMessage, response: ServerResponse) => void,
  options?: Parameters<typeof httpBackend>[1],
): Promise<Backend> {
  const backend = await httpBackend(respond, options);
  backends.push(backend);
  return backend;
}

async function speak(onConnection: (socket: Socket) => void): Promise<Backend> {
  const backend = await rawBackend(onConnection);
  backends.push(backend);
  return backend;
}

const get = (options?: Ask) => ask(balancer.port, options);
const okOnce = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

describe('an app that misbehaves', () => {
  const answers = async (socketAnswer: (socket: Socket) => void): Promise<Backend> => {
    const backend = await speak((socket) => {
      socket.once('data', () => socketAnswer(socket));
    });
    balancer.to([backend.upstream]);
    return backend;
  };

  it('is asked again once when it dies before it answers, if that is safe', async () => {
    let asked = 0;
    await answers((socket) => {
      asked += 1;
      if (asked === 1) socket.resetAndDestroy();
      else socket.end(okOnce);
    });
    expect(await get()).toMatchObject({ status: 200, body: 'ok' });
    asked = 0;
    const post = await get({ method: 'POST', body: 'x' });
    expect([post.status, asked]).toEqual([502, 1]);
  });

  describe('that is dying, and resets what it never read', () => {
    let asked = 0;
    const dying = async (resets: number): Promise<void> => {
      asked = 0;
      const backend = await speak((socket) => {
        asked += 1;
        if (asked <= resets) setTimeout(() => socket.resetAndDestroy(), 20);
        else socket.once('data', () => socket.end(okOnce));
      });
      balancer.to([backend.upstream]);
    };

    it('is asked until it is back, if that is safe', async () => {
      await dying(4);
      expect(await get()).toMatchObject({ status: 200, body: 'ok' });
      expect(asked).toBe(5);
      await dying(1);
      const post = await get({ method: 'POST', body: 'x' });
      expect([post.status, asked]).toEqual([502, 1]);
    });

    it('is given up in the end', async () => {
      await dying(Infinity);
      expect([(await get()).status, asked]).toEqual([502, 9]);
    });
  });

  it('is not asked a third time', async () => {
    let asked = 0;
    await answers((socket) => {
      asked += 1;
      socket.destroy();
    });
    expect([(await get()).status, asked]).toEqual([502, 2]);
  });

  it.each([
    ['garbage', 'what is this\r\n\r\n'],
    ['a bad status', 'HTTP/1.1 abc OK\r\n\r\n'],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok'],
    [
      'length and chunks',
      `HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n`,
    ],
    ['a header that folds', 'HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 2\r\n\r\nok'],
    ['NUL in a header', 'HTTP/1.1 200 OK\r\nA: b\0c\r\nContent-Length: 2\r\n\r\nok'],
    ['a huge head', `HTTP/1.1 200 OK\r\nA: ${'x'.repeat(80_000)}\r\n\r\n`],
    [
      'an upgrade nobody asked for',
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n',
    ],
  ])('%s becomes a 502', async (_, bytes) => {
    await answers((socket) => socket.end(bytes));
    const answer = await get();
    expect(answer.status).toBe(502);
    expect(answer.body).not.toMatch(/127\.0\.0\.1|HPE_/);
  });

  it('is asked again once when a small answer breaks off, if that is safe', async () => {
    let asked = 0;
    await answers((socket) => {
      asked += 1;
      socket.end(asked === 1 ? okOnce.slice(0, -1) : okOnce);
    });
    expect(await get()).toMatchObject({ status: 200, body: 'ok' });
    asked = 0;
    const post = await get({ method: 'POST', body: 'x' });
    expect([post.status, asked]).toEqual([502, 1]);
    expect(post.body).toContain('broke off');
  });

  it('cuts the client off when an answer breaks off that was begun', async () => {
    for (const part of [
      `HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nhalf`,
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n',
    ]) {
      await answers((socket) => socket.end(part));
      await expect(get()).rejects.toThrow(/aborted|socket hang up/);
    }
  });

  it('may dribble a small answer: what is there is passed on', async () => {
    await answers((socket) => {
      socket.write(okOnce.slice(0, -1));
      setTimeout(() => socket.end('k'), 2_000);
    });
    const beganMs = performance.now();
    const outgoing = request({ port: balancer.port, agent: false, headers: { Host: 'a.test' } });
    const [response] = (await once(outgoing.end(), 'response')) as [IncomingMessage];
    expect(performance.now() - beganMs).toBeLessThan(1_800);
    expect(await collect(response)).toMatchObject({ status: 200, body: 'ok' });
  });

  it('may end its answer by closing', async () => {
    await answers((socket) => socket.end('HTTP/1.0 200 OK\r\n\r\nall of it'));
    expect(await get()).toMatchObject({ status: 200, body: 'all of it' });
  });

  it('may answer before it has read the body', async () => {
    await answers((socket) =>
      socket.write('HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig'),
    );
    const outgoing = request({
      ...{ port: balancer.port, method: 'POST', agent: false },
      headers: { Host: 'a.test', 'Content-Length': 50_000_000 },
    });
    outgoing.on('error', () => undefined);
    outgoing.write(Buffer.alloc(300_000));
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
    expect(await collect(response)).toMatchObject({ status: 413, body: 'big' });
    outgoing.destroy();
  });

  it('does not poison the next request with bytes nobody asked for', async () => {
    const backend = await speak((socket) => {
      socket.on('data', () => {
        socket.write(okOnce);
        setTimeout(() => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil'), 30);
      });
    });
    balancer.to([backend.upstream]);
    for (let n = 0; n < 4; n += 1) {
      expect((await get()).body).toBe('ok');
      await sleep(60);
    }
    expect(backend.connections).toBe(4);
  });

  it('is left alone by requests whose client went away', async () => {
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    const { promise: reached, resolve: reach } = Promise.withResolvers<void>();
    balancer.to([
      (
        await speak((socket) => {
          socket.once('data', reach).once('close', resolve);
        })
      ).upstream,
    ]);
    const client = connect(balancer.port, '127.0.0.1');
    client.write('GET / HTTP/1.1\r\nHost: a.test\r\n\r\n');
    await reached;
    client.destroy();
    await closed;
    await sleep(20);
    expect(balancer.access[0]?.status).toBe(499);
  });
});

describe('several instances', () => {
  it('share the load', async () => {
    const counts = [0, 0, 0];
    const upstreams = await Promise.all(
      counts.map(async (_, index) => {
        const backend = await serve((__, response) => {
          counts[index] = (counts[index] ?? 0) + 1;
          setTimeout(() => response.end(), 5);
        });
        return backend.upstream;
      }),
    );
    balancer.to(upstreams);
    await Promise.all(Array.from({ length: 90 }, () => get()));
    for (const count of counts) expect(count).toBeGreaterThan(10);
  });

  it('stand in for one that refuses connections, for every method', async () => {
    const alive = await serve((incoming, response) => {
      incoming.resume().on('end', () => response.end('alive'));
    });
    balancer.to([await deadUpstream(), await deadUpstream(), alive.upstream]);
    const big = Buffer.alloc(200_000);
    for (let n = 0; n < 10; n += 1) {
      expect((await get()).body).toBe('alive');
      expect((await get({ method: 'POST', body: 'x' })).body).toBe('alive');
      expect((await get({ method: 'POST', body: big })).body).toBe('alive');
    }
  });

  it('are reached over IPv6 too', async () => {
    const server = createServer((_, response) => response.end('six'));
    await new Promise<void>((resolve) => server.listen(0, '::1', resolve));
    const { port } = server.address() as AddressInfo;
    balancer.to([{ instanceId: 'six', address: '::1', port }]);
    try {
      expect((await get()).body).toBe('six');
    } finally {
      server.close();
      server.closeAllConnections();
    }
  });

  it('are waited for while they restart', async () => {
    const first = await serve((_, response) => response.end('first'));
    balancer.to([first.upstream]);
    await get();
    await first.close();
    const waiting = [get(), get({ method: 'POST', body: 'x' })];
    await sleep(400);
    const again = createServer((_, response) => response.end('again'));
    again.listen(first.port, '127.0.0.1');
    try {
      for (const answer of await Promise.all(waiting)) expect(answer.body).toBe('again');
    } finally {
      again.close();
      again.closeAllConnections();
    }
  });

  it('are given up for those of the next table', async () => {
    balancer.to([await deadUpstream()]);
    const waiting = get({ method: 'POST', body: 'x' });
    await sleep(100);
    balancer.to([(await serve((_, response) => response.end('new'))).upstream]);
    expect((await waiting).body).toBe('new');
  });
});

describe('kept connections', () => {
  it('carry one request after the other', async () => {
    const backend = await serve((_, response) => response.end('ok'));
    balancer.to([backend.upstream]);
    for (let n = 0; n < 10; n += 1) await get({ method: n % 2 ? 'POST' : 'GET' });
    expect(backend.connections).toBe(1);
  });

  it('that idled too long for what we know are not used by what cannot be repeated', async () => {
    const backend = await serve((_, response) => response.end('ok'), { keepAliveMs: 400 });
    balancer.to([{ ...backend.upstream, keepAliveMs: 1_400 }]);
    await get();
    await sleep(750);
    // Half of 1,400 ms is over; and the server closed it at 400, behind our back.
    expect((await get({ method: 'POST', body: 'x' })).status).toBe(200);
  });

  it('that the app closes while we write cost no repeatable request', async () => {
    let closing = 0;
    const backend = await speak((socket) => {
      let served = 0;
      socket.on('data', () => {
        served += 1;
        if (served === 1) socket.write(okOnce);
        else {
          closing += 1;
          socket.destroy();
        }
      });
    });
    balancer.to([backend.upstream]);
    for (let n = 0; n < 20; n += 1) expect((await get()).status).toBe(200);
    expect(closing).toBeGreaterThan(5);
  });

  it('race with the keep-alive of the app and no POST is lost', async () => {
    const backend = await serve(
      (incoming, response) => incoming.resume().on('end', () => response.end('ok')),
      { keepAliveMs: 60, tell: false },
    );
    balancer.to([{ ...backend.upstream, keepAliveMs: 60 }]);
    for (let n = 0; n < 60; n += 1) {
      const answer = await get({ method: 'POST', body: 'x' });
      expect(answer.status).toBe(200);
      await sleep(n % 2 ? 57 + (n % 7) : 5);
    }
  });

  it('are closed when the table names the instance no more', async () => {
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    const backend = await speak((socket) => {
      socket.on('data', () => socket.write(okOnce)).once('close', resolve);
    });
    balancer.to([backend.upstream]);
    await get();
    balancer.to([]);
    await closed;
    expect(balancer.drain.instanceIds).toEqual([]);
  });
});
