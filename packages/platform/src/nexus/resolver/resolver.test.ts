import { describe, expect, it } from 'vitest';
import type { AppRoutes, RouteSnapshot } from '../../domain/route-table.ts';
import type { AccessRecord } from '../../ports/route-messages.ts';
import type { Message, TransportServer } from '../../ports/transport.ts';
import { createResolver, type ResolverOptions } from './resolver.ts';

class FakeServer implements TransportServer {
  readonly published: Message[] = [];
  respond: (message: Message, peer: string) => Promise<Message> = () =>
    Promise.reject(new Error('nobody'));
  receive: (message: Message, peer: string) => void = () => undefined;

  onRequest(respond: (message: Message, peer: string) => Promise<Message>): void {
    this.respond = respond;
  }

  onPush(receive: (message: Message, peer: string) => void): void {
    this.receive = receive;
  }

  publish(_topic: string, message: Message): Promise<void> {
    this.published.push(message);
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  hello(balancer: string, epoch: number, draining: string[] = [], pid = 1): Promise<Message> {
    const process = { balancer, pid, pidStartTicks: 1 };
    return this.respond({ type: 'balancer.hello', ...process, epoch, draining }, balancer);
  }
}

const app = (appId: number, ...instanceIds: string[]): AppRoutes => ({
  appId,
  appName: `app${appId}`,
  routes: [
    {
      host: `app${appId}.test`,
      path: '/',
      target: {
        kind: 'upstreams',
        upstreams: instanceIds.map((instanceId) => ({ instanceId, address: '::1', port: 1 })),
      },
    },
  ],
});

function setUp(options: Partial<ResolverOptions> = {}) {
  const server = new FakeServer();
  const persisted: number[] = [];
  const records: AccessRecord[] = [];
  const clock = { now: 0, nowMs: () => clock.now, monotonicMs: () => clock.now };
  const resolver = createResolver({
    server,
    lastEpoch: 0,
    persistEpoch: (epoch) => {
      persisted.push(epoch);
      return Promise.resolve();
    },
    hasEnded: () => Promise.resolve(false),
    onAccess: (taken) => records.push(...taken),
    clock,
    ...options,
  });
  const signal = new AbortController().signal;
  const acknowledged = (epoch: number, timeoutMs = 60_000) =>
    resolver.waitAcknowledged(epoch, { signal, timeoutMs });
  return { server, persisted, records, clock, resolver, acknowledged };
}

/** Whether it resolves without time passing on the resolver's clock. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  const pause = new Promise((resolve) => setTimeout(resolve, 30, 'pending'));
  return (await Promise.race([promise.then(() => 'settled'), pause])) === 'settled';
}

const SETTLED_MS = 6_000;

describe('epochs', () => {
  it('go on from the last one, are persisted before use, and stand still without a change', async () => {
    const { resolver, persisted, server } = setUp({ lastEpoch: 41 });
    await resolver.setRoutes(app(1, 'a'));
    expect([persisted, server.published]).toEqual([[], []]);
    await resolver.open();
    expect(resolver.snapshot()).toEqual({ epoch: 42, apps: [app(1, 'a')] });
    expect(await resolver.setRoutes(app(1, 'a'))).toBe(42);
    expect(await resolver.setRoutes(app(1, 'b'))).toBe(43);
    expect(await resolver.removeApp(1)).toBe(44);
    expect(await resolver.removeApp(1)).toBe(44);
    expect(persisted).toEqual([42, 43, 44]);
    expect(server.published).toEqual([
      { type: 'routes.update', epoch: 43, app: app(1, 'b') },
      { type: 'routes.update', epoch: 44, app: { ...app(1), routes: [] } },
    ]);
  });

  it('grow one by one under concurrent changes', async () => {
    const { resolver } = setUp();
    await resolver.open();
    const epochs = await Promise.all([1, 2, 3].map((id) => resolver.setRoutes(app(id, `i${id}`))));
    expect(epochs).toEqual([2, 3, 4]);
  });

  it('do not grow when they cannot be persisted', async () => {
    const { resolver } = setUp({ persistEpoch: () => Promise.reject(new Error('disk')) });
    await expect(resolver.open()).rejects.toThrow('disk');
    expect(resolver.snapshot().epoch).toBe(0);
  });

  it('count challenges too', async () => {
    const { resolver, server, acknowledged } = setUp({ expectedBalancers: ['b'] });
    const challenge = { kind: 'http-01', host: 'a.test', token: 't', content: 't.k' } as const;
    await resolver.open();
    await server.hello('b', 1);
    expect(await resolver.setChallenges([challenge])).toBe(2);
    const waiting = acknowledged(2);
    expect(await isSettled(waiting)).toBe(false);
    expect(resolver.snapshot()).toEqual({ epoch: 2, apps: [], challenges: [challenge] });
    await server.hello('b', 2);
    expect(await waiting).toEqual({ acknowledged: ['b'], silent: [] });
    expect(await resolver.setChallenges([])).toBe(3);
    expect(resolver.snapshot()).toEqual({ epoch: 3, apps: [] });
    expect(server.published).toEqual([
      { type: 'routes.update', epoch: 2, challenges: [challenge] },
      { type: 'routes.update', epoch: 3, challenges: [] },
    ]);
  });

  it('pass those of the balancers when the store is behind them', async () => {
    const { resolver, server, persisted } = setUp({ lastEpoch: 5 });
    await resolver.open();
    expect(await server.hello('b', 90)).toEqual({ type: 'balancer.welcome', epoch: 91 });
    expect(persisted).toEqual([6, 91]);
  });
});

describe('a snapshot', () => {
  it('is not given before the table is complete', async () => {
    const { resolver, server } = setUp();
    await expect(server.respond({ type: 'routes.get' }, 'b')).rejects.toMatchObject({
      code: 'TRANSPORT_REFUSED',
    });
    expect(await server.hello('b', 0)).toEqual({ type: 'balancer.welcome', epoch: 0 });
    await resolver.setRoutes(app(1, 'a'));
    await resolver.open();
    const answer = await server.respond({ type: 'routes.get' }, 'b');
    expect(answer.snapshot as RouteSnapshot).toEqual({ epoch: 1, apps: [app(1, 'a')] });
  });

  it('never shows an epoch without its routes', async () => {
    const { resolver } = setUp();
    await resolver.open();
    const change = resolver.setRoutes(app(1, 'a'));
    for (let turn = 0; turn < 20; turn += 1) {
      const { epoch, apps } = resolver.snapshot();
      expect([epoch, apps.length]).toEqual(epoch === 2 ? [2, 1] : [1, 0]);
      await Promise.resolve();
    }
    await change;
  });
});

describe('waitAcknowledged', () => {
  it('waits for every balancer', async () => {
    const { resolver, server, clock, acknowledged } = setUp();
    await resolver.open();
    clock.now = SETTLED_MS;
    await server.hello('a', 1);
    await server.hello('b', 1);
    const waiting = acknowledged(await resolver.setRoutes(app(1, 'x')));
    await server.hello('a', 2);
    expect(await isSettled(waiting)).toBe(false);
    await server.hello('b', 2);
    expect(await waiting).toEqual({ acknowledged: ['a', 'b'], silent: [] });
  });

  it('does not believe that there is nobody before all had time to speak', async () => {
    const { resolver, server, clock, acknowledged } = setUp();
    await resolver.open();
    const waiting = acknowledged(1);
    expect(await isSettled(waiting)).toBe(false);
    await server.hello('late', 1);
    expect(await isSettled(waiting)).toBe(false);
    clock.now = SETTLED_MS;
    expect(await waiting).toEqual({ acknowledged: ['late'], silent: [] });
  });

  it('does not wait longer than for those that are expected', async () => {
    const { resolver, server, acknowledged } = setUp({ expectedBalancers: ['a', 'b'] });
    await resolver.open();
    const waiting = acknowledged(1);
    await server.hello('a', 1);
    expect(await isSettled(waiting)).toBe(false);
    await server.hello('b', 1);
    expect((await waiting).acknowledged).toEqual(['a', 'b']);
  });

  it('names the silent when the time is over', async () => {
    const { resolver, server, clock, acknowledged } = setUp();
    await resolver.open();
    clock.now = SETTLED_MS;
    await server.hello('a', 1);
    await server.hello('b', 0);
    const waiting = acknowledged(1, 1_000);
    clock.now += 1_000;
    expect(await waiting).toEqual({ acknowledged: ['a'], silent: ['b'] });
  });

  it('does not wait for who said goodbye, ended, or has a successor', async () => {
    const ended = new Set<number>();
    const { resolver, server, clock, acknowledged } = setUp({
      hasEnded: ({ pid }) => Promise.resolve(ended.has(pid)),
    });
    await resolver.open();
    clock.now = SETTLED_MS;
    await server.hello('left', 0, [], 10);
    await server.hello('died', 0, [], 11);
    await server.hello('again', 0, [], 12);
    const goodbye = { type: 'balancer.goodbye', pidStartTicks: 1 };
    await server.respond({ ...goodbye, balancer: 'left', pid: 10 }, '');
    ended.add(11);
    clock.now += 3_000;
    await server.hello('again', 1, [], 13);
    // Comes late, and is not about the one that runs now.
    await server.respond({ ...goodbye, balancer: 'again', pid: 12 }, '');
    expect(await acknowledged(1)).toEqual({ acknowledged: ['again'], silent: [] });
  });

  it('ends with its signal', async () => {
    const { resolver } = setUp();
    await resolver.open();
    const controller = new AbortController();
    const waiting = resolver.waitAcknowledged(1, { signal: controller.signal, timeoutMs: 60_000 });
    controller.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
  });
});

describe('waitDrained', () => {
  it('waits until no balancer names it nor has it under way', async () => {
    const { resolver, server, clock } = setUp();
    await resolver.setRoutes(app(1, 'old'));
    await resolver.open();
    clock.now = SETTLED_MS;
    await server.hello('a', 1);
    const waiting = resolver.waitDrained(['old'], { timeoutMs: 60_000 });
    expect(await isSettled(waiting)).toBe(false);
    await resolver.setRoutes(app(1, 'new'));
    expect(await isSettled(waiting)).toBe(false);
    await server.hello('a', 2, ['old']);
    expect(await isSettled(waiting)).toBe(false);
    await server.hello('a', 2, []);
    await waiting;
  });

  it('needs only the epoch that withdrew it, not later ones', async () => {
    const { resolver, server, clock } = setUp();
    await resolver.setRoutes(app(1, 'old'));
    await resolver.open();
    clock.now = SETTLED_MS;
    await resolver.setRoutes(app(1, 'new'));
    await resolver.setRoutes(app(2, 'other'));
    await server.hello('a', 2);
    await resolver.waitDrained(['old'], { timeoutMs: 60_000 });
  });

  it('of an instance it never knew needs the current table', async () => {
    const { resolver, server, clock } = setUp({ lastEpoch: 9 });
    await resolver.open();
    clock.now = SETTLED_MS;
    await server.hello('a', 9);
    const waiting = resolver.waitDrained(['before-our-time'], { timeoutMs: 60_000 });
    expect(await isSettled(waiting)).toBe(false);
    await server.hello('a', 10);
    await waiting;
  });

  it('is bounded', async () => {
    const { resolver, clock } = setUp();
    await resolver.setRoutes(app(1, 'busy'));
    await resolver.open();
    const waiting = resolver.waitDrained(['busy'], { timeoutMs: 100 });
    clock.now = 100;
    await waiting;
  });
});

describe('balancers', () => {
  it('are live while they say hello', async () => {
    const { resolver, server, clock } = setUp();
    await server.hello('a', 3, [], 77);
    expect(resolver.balancers()).toEqual([
      { id: 'a', pid: 77, epoch: 3, lastSeenMs: 0, live: true },
    ]);
    clock.now = SETTLED_MS;
    expect(resolver.balancers()[0]?.live).toBe(false);
  });

  it('hand over access records', () => {
    const { server, records } = setUp();
    const record = { requestId: 'r' };
    server.receive({ type: 'access.batch', balancer: 'a', records: [record], dropped: 0 }, 'a');
    expect(records).toEqual([record]);
  });

  it('get no answer to what is no request', async () => {
    const { server } = setUp();
    await expect(server.respond({ type: 'access.batch' }, 'a')).rejects.toMatchObject({
      code: 'TRANSPORT_REFUSED',
    });
  });
});
