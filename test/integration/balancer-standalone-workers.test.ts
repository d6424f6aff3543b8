// The processes of `tandem balancer`: killed, replaced, ended; and what they log.
import { chmod, rename, stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { ask } from '../support/balancer-server.ts';
import { startLoad } from '../support/load-process.ts';
import {
  becomes,
  bodyOf,
  type StandaloneBalancer,
  useStandalone,
} from '../support/standalone-balancer.ts';

const standalone = useStandalone();
const { backend } = standalone;
let balancer: StandaloneBalancer;
beforeEach(() => (balancer = standalone.balancer));

describe('workers', () => {
  it('gives up root in its workers, which can still log', async () => {
    const uid = 1_899_000_000 + (process.pid % 100_000);
    // The directory of the log must be open to them.
    await chmod(balancer.directory, 0o711);
    await balancer.writeRoutes({ host: 'a.test', upstreams: [await backend('a')] });
    const port = await balancer.start('--user', `${uid}`);
    expect(await bodyOf(port)).toBe('a');
    for (const pid of await balancer.workers()) expect((await stat(`/proc/${pid}`)).uid).toBe(uid);
    await expect.poll(async () => (await balancer.accessLines()).length).toBe(1);
    await rename(balancer.accessLog, `${balancer.accessLog}.1`);
    balancer.signal('SIGHUP');
    await balancer.says('unchanged');
    await sleep(300);
    await bodyOf(port);
    await expect.poll(async () => (await balancer.accessLines()).length).toBe(1);
  });

  it('answer every connection that was accepted while they started', async () => {
    await balancer.writeRoutes({ host: 'a.test', upstreams: [await backend('a')] });
    const port = await balancer.start('--workers', '2');
    balancer.signal('SIGTERM');
    await balancer.ended();
    let starting = true;
    const results = new Map<string, number>();
    const knock = async (): Promise<void> => {
      while (starting) {
        const result = await bodyOf(port).catch((error: NodeJS.ErrnoException) => error.code ?? '');
        results.set(result, (results.get(result) ?? 0) + 1);
      }
    };
    const knocking = Array.from({ length: 8 }, knock);
    const again = await balancer.startAt(port, '--workers', '2');
    starting = false;
    await Promise.all(knocking);
    expect(again).toBe(port);
    results.delete('ECONNREFUSED');
    expect([...results.keys()]).toEqual(['a']);
  });

  it('are replaced when they are killed, while the others serve', async () => {
    await balancer.writeRoutes({ host: 'a.test', upstreams: [await backend('a')] });
    const port = await balancer.start('--workers', '2');
    const before = await balancer.workers();
    expect(before).toHaveLength(2);
    process.kill(before[0] ?? 0, 'SIGKILL');
    // New connections: none may be refused or reset, some wait for the successor.
    for (let turn = 0; turn < 40; turn += 1) expect(await bodyOf(port)).toBe('a');
    await balancer.says('killed by SIGKILL');
    await balancer.says('serves in its place');
    const after = await balancer.workers();
    expect(after).toHaveLength(2);
    expect(after).toContain(before[1]);
    expect(after).not.toContain(before[0]);
  });

  it('that is the only one loses no new connection by its death', async () => {
    await balancer.writeRoutes({ host: 'a.test', upstreams: [await backend('a')] });
    const port = await balancer.start();
    for (let turn = 0; turn < 3; turn += 1) {
      process.kill((await balancer.workers())[0] ?? 0, 'SIGKILL');
      expect(await bodyOf(port)).toBe('a');
    }
  });

  it('that start late know the routes of the hour', async () => {
    await balancer.writeRoutes({ host: 'a.test', upstreams: [await backend('old')] });
    const port = await balancer.start();
    await balancer.writeRoutes({ host: 'a.test', upstreams: [await backend('new')] });
    await becomes(port, 'a.test', 'new');
    process.kill((await balancer.workers())[0] ?? 0, 'SIGKILL');
    expect(await bodyOf(port)).toBe('new');
    await balancer.writeRoutes({ host: 'a.test', upstreams: [await backend('newest')] });
    await becomes(port, 'a.test', 'newest');
  });

  it('are replaced by USR2 under load without a failed request', async () => {
    await balancer.writeRoutes({
      host: 'a.test',
      upstreams: [await backend('<one>'), await backend('<two>', 20)],
    });
    const port = await balancer.start('--workers', '2');
    const before = await balancer.workers();
    const load = await startLoad({
      ...{ port, host: 'a.test', connections: 8, timeoutMs: 20_000 },
      requests: [
        { method: 'GET', path: '/', expectStatus: [200], expectText: '>' },
        { method: 'POST', path: '/', body: 'x'.repeat(5_000), expectStatus: [200] },
        {
          method: 'GET',
          path: '/',
          headers: { connection: 'close' },
          expectStatus: [200],
        },
      ],
    });
    for (let turn = 1; turn <= 2; turn += 1) {
      await sleep(500);
      balancer.signal('SIGUSR2');
      await expect
        .poll(() => balancer.stderr.split('workers replaced: 2').length - 1, { timeout: 30_000 })
        .toBe(turn);
    }
    await sleep(1_500);
    const report = await load.stop();
    expect(report).toMatchObject({ failed: 0, failures: {} });
    expect(report.requests).toBeGreaterThan(100);
    await expect.poll(async () => (await balancer.workers()).length, { timeout: 40_000 }).toBe(2);
    for (const pid of await balancer.workers()) expect(before).not.toContain(pid);
  });

  it('end when their parent is killed, and leave the port', async () => {
    await balancer.writeRoutes({ host: 'a.test', upstreams: [await backend('a')] });
    const port = await balancer.start('--workers', '2');
    const workers = await balancer.workers();
    balancer.signal('SIGKILL');
    await balancer.ended();
    for (const pid of workers) {
      await expect
        .poll(
          () =>
            stat(`/proc/${pid}`).then(
              () => 'there',
              () => 'gone',
            ),
          { timeout: 10_000 },
        )
        .toBe('gone');
    }
    expect(await balancer.startAt(port)).toBeGreaterThan(0);
  });
});

describe('its end', () => {
  it('comes with TERM after a slow answer is complete', async () => {
    await balancer.writeRoutes({ host: 'a.test', upstreams: [await backend('slow', 1_500)] });
    const port = await balancer.start('--workers', '2');
    const answer = ask(port);
    await sleep(400);
    balancer.signal('SIGTERM');
    expect(await answer).toMatchObject({ status: 200, body: 'slow' });
    expect(await balancer.ended()).toBe(0);
    await expect(ask(port)).rejects.toThrow('ECONNREFUSED');
    // The request that ended last is in the log as well.
    expect(await balancer.accessLines()).toHaveLength(1);
  });

  it('comes at once with a second TERM', async () => {
    await balancer.writeRoutes({ host: 'a.test', upstreams: [await backend('slow', 30_000)] });
    const port = await balancer.start();
    const answer = ask(port).then(
      () => 'answered',
      () => 'cut',
    );
    await sleep(400);
    balancer.signal('SIGTERM');
    await sleep(300);
    const startedMs = performance.now();
    balancer.signal('SIGTERM');
    expect(await balancer.ended()).toBe(70);
    expect(performance.now() - startedMs).toBeLessThan(5_000);
    expect(await answer).toBe('cut');
  });
});

describe('the access log', () => {
  it('has a line of JSON for each request, whatever it asks for', async () => {
    const upstream = await backend('hello');
    await balancer.writeRoutes({ host: 'a.test', upstreams: [upstream] });
    const port = await balancer.start();
    await ask(port, { path: '/x?y=%22"' });
    await ask(port, { host: 'b.test' });
    await new Promise<void>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.write('GET /\xe9\\ HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n', 'latin1');
      });
      socket
        .resume()
        .on('error', () => undefined)
        .on('close', () => resolve());
    });
    await expect.poll(async () => (await balancer.accessLines()).length >= 2).toBe(true);
    const [first, second] = await balancer.accessLines();
    expect(first).toEqual({
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string,
      client: '127.0.0.1',
      method: 'GET',
      host: 'a.test',
      path: '/x?y=%22"',
      status: 200,
      bytes: 5,
      ms: expect.any(Number) as number,
      upstream,
      upstreamMs: expect.any(Number) as number,
      requestId: expect.any(String) as string,
    });
    expect(second).toMatchObject({ host: 'b.test', status: 404 });
    expect(second).not.toHaveProperty('upstream');
  });

  it('goes to stdout by "-", whole lines of all workers', async () => {
    await balancer.writeRoutes({ host: 'a.test', upstreams: [await backend('a')] });
    const port = await balancer.start('--access-log', '-', '--workers', '2');
    const path = `/${'x'.repeat(500)}`;
    await Promise.all(Array.from({ length: 200 }, () => ask(port, { path })));
    await expect.poll(() => balancer.stdout.split('\n').length - 1).toBe(200);
    for (const line of balancer.stdout.trim().split('\n'))
      expect(JSON.parse(line)).toMatchObject({ path, status: 200 });
  });

  it('goes nowhere by "off"', async () => {
    await balancer.writeRoutes({ host: 'a.test', upstreams: [await backend('a')] });
    expect(await bodyOf(await balancer.start('--access-log', 'off'))).toBe('a');
    await sleep(300);
    expect([balancer.stdout, await balancer.accessLines()]).toEqual(['', []]);
  });

  it('is opened anew by HUP', async () => {
    await balancer.writeRoutes({ host: 'a.test', upstreams: [await backend('a')] });
    const port = await balancer.start('--workers', '2');
    await bodyOf(port);
    const rotated = `${balancer.accessLog}.1`;
    await expect.poll(async () => (await balancer.accessLines()).length).toBe(1);
    await rename(balancer.accessLog, rotated);
    balancer.signal('SIGHUP');
    await balancer.says('unchanged');
    await sleep(300);
    for (let turn = 0; turn < 10; turn += 1) await bodyOf(port);
    await expect.poll(async () => (await balancer.accessLines()).length).toBe(10);
    expect(await balancer.accessLines(rotated)).toHaveLength(1);
  });

  it('on a full disk does not disturb the visitors', async () => {
    await balancer.writeRoutes({ host: 'a.test', upstreams: [await backend('a')] });
    const port = await balancer.start('--access-log', '/dev/full');
    for (let turn = 0; turn < 20; turn += 1) expect(await bodyOf(port)).toBe('a');
    await balancer.says('the access log cannot be written');
  });
});
