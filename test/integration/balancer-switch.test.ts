// The promise of a deploy, at the level of the balancer: instances come and go under load and no
// request fails. Balancers and backends are processes; old backends are killed as soon as the nexus
// says that they are drained.
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RouteTarget, Upstream } from '../../packages/platform/src/domain/route-table.ts';
import { TestPlatform } from '../support/balancer-process.ts';
import { ask } from '../support/balancer-server.ts';
import type { LoadReport } from '../support/load.ts';
import { type Load, startLoad } from '../support/load-process.ts';
import { runTypeScript, type Script } from '../support/run-typescript.ts';

const BACKEND = join(import.meta.dirname, '../support/http-backend.ts');
const WAIT = { signal: new AbortController().signal, timeoutMs: 20_000 };
const CONNECTIONS = 64;
const WORKERS = ['balancer-0', 'balancer-1'];

interface Instance {
  readonly upstream: Upstream;
  readonly process: Script;
}

let platform: TestPlatform;
let instances: Instance[] = [];
let count = 0;

beforeEach(async () => {
  platform = await TestPlatform.create();
  const resolver = await platform.startNexus(WORKERS);
  await resolver.open();
  await Promise.all(WORKERS.map((name) => platform.startBalancer(name)));
});

afterEach(async () => {
  for (const { process } of instances.splice(0)) process.kill('SIGKILL');
  await platform.close();
});

async function startInstance(version: string, keepAliveMs?: number): Promise<Instance> {
  const process = runTypeScript(BACKEND, [version, String(keepAliveMs ?? 2_000)]);
  const [port] = (await once(createInterface({ input: process.stdout }), 'line')) as [string];
  count += 1;
  const upstream = { instanceId: `i${count}`, address: '127.0.0.1', port: Number(port) };
  const instance = { upstream: { ...upstream, ...(keepAliveMs && { keepAliveMs }) }, process };
  instances.push(instance);
  return instance;
}

function route(target: RouteTarget): Promise<number> {
  const routes = [{ host: 'a.test', path: '/', target }];
  return platform.resolver.setRoutes({ appId: 1, appName: 'app', routes });
}

const routeTo = (to: readonly Instance[]): Promise<number> =>
  route({ kind: 'upstreams', upstreams: to.map((instance) => instance.upstream) });

/** What a deploy does once the new instances are ready. */
async function switchTo(next: readonly Instance[]): Promise<void> {
  const old = instances.filter((instance) => !next.includes(instance));
  const epoch = await routeTo(next);
  const { acknowledged, silent } = await platform.resolver.waitAcknowledged(epoch, WAIT);
  expect([acknowledged.sort(), silent]).toEqual([WORKERS, []]);
  await platform.resolver.waitDrained(
    old.map((instance) => instance.upstream.instanceId),
    { timeoutMs: 20_000 },
  );
  for (const { process } of old) {
    process.kill('SIGKILL');
    await once(process, 'exit');
  }
  instances = instances.filter((instance) => next.includes(instance));
}

const load = (): Promise<Load> =>
  startLoad({
    ...{ port: platform.port, host: 'a.test', connections: CONNECTIONS, timeoutMs: 30_000 },
    requests: [
      { method: 'GET', path: '/', expectStatus: [200], expectText: '>' },
      { method: 'POST', path: '/', body: 'x=1', expectStatus: [200], expectText: ' 3>' },
      { method: 'GET', path: '/slow', expectStatus: [200], expectText: '>' },
      {
        ...{ method: 'POST', path: '/slow', body: 'x'.repeat(100_000) },
        ...{ expectStatus: [200], expectText: ' 100000>' },
      },
    ],
  });

function expectNoFailure(report: LoadReport): void {
  expect(report.failures).toEqual({});
  expect(report.failed).toBe(0);
  expect(report.methods.GET).toBeGreaterThan(CONNECTIONS);
  expect(report.methods.POST).toBeGreaterThan(CONNECTIONS);
}

describe('under 64 connections of GET and POST', () => {
  it('25 switches cost no request', async () => {
    await switchTo([await startInstance('v0'), await startInstance('v0')]);
    const running = await load();
    for (let version = 1; version <= 25; version += 1) {
      const name = `v${version}`;
      // Servers whose keep-alive we know, and such as close after 2 s without our knowing.
      const keepAliveMs = version % 2 ? 75_000 : undefined;
      await switchTo([
        await startInstance(name, keepAliveMs),
        await startInstance(name, keepAliveMs),
      ]);
      expect((await ask(platform.port)).body).toBe(`<${name}>`);
    }
    expectNoFailure(await running.stop());
  });

  it('a pause (hold, stop the old, start the new) costs no request', async () => {
    await switchTo([await startInstance('v1')]);
    const running = await load();
    for (let version = 2; version <= 4; version += 1) {
      const [old] = instances;
      const epoch = await route({ kind: 'hold', untilMs: Date.now() + 20_000 });
      await platform.resolver.waitAcknowledged(epoch, WAIT);
      await platform.resolver.waitDrained([old?.upstream.instanceId ?? ''], { timeoutMs: 20_000 });
      old?.process.kill('SIGKILL');
      instances = [];
      await switchTo([await startInstance(`v${version}`)]);
      await sleep(100);
    }
    expectNoFailure(await running.stop());
  });

  it('restarts of the balancers, one after the other, cost no request', async () => {
    await switchTo([await startInstance('v1')]);
    const running = await load();
    for (const name of [...WORKERS, ...WORKERS]) {
      expect(await platform.stopBalancer(name)).toBe(0);
      await platform.startBalancer(name);
      await sleep(100);
    }
    expectNoFailure(await running.stop());
  });

  it('the death and return of the nexus costs no request, and the next switch works', async () => {
    await switchTo([await startInstance('v1')]);
    const running = await load();
    for (let version = 2; version <= 3; version += 1) {
      const before = platform.epoch;
      await platform.stopNexus();
      await sleep(500);
      const resolver = await platform.startNexus(WORKERS);
      // Until it is open, balancers keep what they have.
      await sleep(700);
      await routeTo(instances);
      await resolver.open();
      expect(platform.epoch).toBeGreaterThan(before);
      await switchTo([await startInstance(`v${version}`)]);
      expect((await ask(platform.port)).body).toBe(`<v${version}>`);
    }
    expectNoFailure(await running.stop());
  });

  it('the kill of one of two instances costs no repeatable request', async () => {
    await switchTo([await startInstance('v1'), await startInstance('v1')]);
    const running = await startLoad({
      ...{ port: platform.port, host: 'a.test', connections: CONNECTIONS, timeoutMs: 30_000 },
      requests: [{ method: 'GET', path: '/', expectStatus: [200], expectText: '<v1>' }],
    });
    await sleep(300);
    instances[0]?.process.kill('SIGKILL');
    await sleep(1_000);
    const report = await running.stop();
    expect([report.failures, report.failed]).toEqual([{}, 0]);
    expect(report.requests).toBeGreaterThan(CONNECTIONS);
  });
});

describe('a balancer', () => {
  it('that is killed serves again by the routes on disk, with no nexus', async () => {
    await switchTo([await startInstance('v1')]);
    // At most once a second the table goes to disk.
    await sleep(1_300);
    await platform.stopNexus();
    for (const name of WORKERS) await platform.stopBalancer(name, 'SIGKILL');
    const startedMs = performance.now();
    await platform.startBalancer('balancer-0');
    expect(performance.now() - startedMs).toBeLessThan(6_000);
    expect((await ask(platform.port)).body).toBe('<v1>');
    // Once a nexus is back it follows.
    const resolver = await platform.startNexus();
    await resolver.open();
    await switchTo2();
    expect((await ask(platform.port)).body).toBe('<v2>');
  });

  async function switchTo2(): Promise<void> {
    const epoch = await routeTo([await startInstance('v2')]);
    const { acknowledged } = await platform.resolver.waitAcknowledged(epoch, WAIT);
    expect(acknowledged).toEqual(['balancer-0']);
  }

  it('that hangs delays the acknowledgement and is named; one that died does not', async () => {
    await switchTo([await startInstance('v1')]);
    const hung = platform.pidOf('balancer-1');
    process.kill(hung, 'SIGSTOP');
    try {
      const epoch = await routeTo([await startInstance('v2')]);
      const quick = { ...WAIT, timeoutMs: 3_000 };
      expect(await platform.resolver.waitAcknowledged(epoch, quick)).toEqual({
        acknowledged: ['balancer-0'],
        silent: ['balancer-1'],
      });
    } finally {
      process.kill(hung, 'SIGCONT');
    }
    await platform.stopBalancer('balancer-1', 'SIGKILL');
    const epoch = await routeTo([await startInstance('v3')]);
    expect(await platform.resolver.waitAcknowledged(epoch, WAIT)).toEqual({
      acknowledged: ['balancer-0'],
      silent: [],
    });
  });

  it('says goodbye when it ends in order', async () => {
    expect(await platform.stopBalancer('balancer-1')).toBe(0);
    expect(platform.resolver.balancers().map((balancer) => balancer.id)).toEqual(['balancer-0']);
  });

  it('ends within its bound with requests under way, and finishes them', async () => {
    await switchTo([await startInstance('v1')]);
    await platform.stopBalancer('balancer-1');
    const slow = ask(platform.port, { path: '/slow' });
    await sleep(10);
    expect(await platform.stopBalancer('balancer-0')).toBe(0);
    expect((await slow).body).toBe('<v1>');
  });

  it('sends a record of each request', async () => {
    await switchTo([await startInstance('v1')]);
    for (let n = 0; n < 100; n += 1) await ask(platform.port, { path: `/${n}` });
    for (let tries = 0; platform.access.length < 100 && tries < 100; tries += 1) await sleep(50);
    expect(platform.access.map((record) => record.path).sort()).toEqual(
      Array.from({ length: 100 }, (_, n) => `/${n}`).sort(),
    );
  });

  it('waits for requests under way before it calls an instance drained', async () => {
    const [old, next] = [await startInstance('old'), await startInstance('new')];
    await switchTo([old, next]);
    await routeTo([old]);
    await platform.resolver.waitAcknowledged(platform.epoch, WAIT);
    const outgoing = request({
      ...{ port: platform.port, method: 'POST', path: '/', agent: false },
      headers: { Host: 'a.test', 'Content-Length': 200_000 },
    });
    outgoing.write('x'.repeat(100_000));
    await sleep(200);
    const epoch = await routeTo([next]);
    await platform.resolver.waitAcknowledged(epoch, WAIT);
    let drained = false;
    const draining = platform.resolver
      .waitDrained([old.upstream.instanceId], { timeoutMs: 20_000 })
      .then(() => (drained = true));
    await sleep(500);
    expect(drained).toBe(false);
    outgoing.end('x'.repeat(100_000));
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
    expect(response.statusCode).toBe(200);
    await draining;
  });
});
