// `tandem balancer` as people run it: by a file that changes under it, from a command line.
import { rename, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { ask, collect, httpBackend } from '../support/balancer-server.ts';
import {
  becomes,
  bodyOf,
  StandaloneBalancer,
  useStandalone,
} from '../support/standalone-balancer.ts';

const standalone = useStandalone();
const { backend } = standalone;
let balancer: StandaloneBalancer;
beforeEach(() => (balancer = standalone.balancer));

describe('by its file', () => {
  it('serves hosts, suffixes and paths', async () => {
    const [a, below, api] = await Promise.all([backend('a'), backend('below'), backend('api')]);
    await balancer.writeRoutes(
      { host: 'a.test', upstreams: [a] },
      { host: 'a.test', path: '/api', upstreams: [api] },
      { host: '*.b.test', upstreams: [below] },
    );
    const port = await balancer.start();
    expect(await bodyOf(port)).toBe('a');
    expect(await bodyOf(port, 'A.TEST:80')).toBe('a');
    expect(await bodyOf(port, 'a.test', '/api')).toBe('api');
    expect(await bodyOf(port, 'a.test', '/api/x')).toBe('api');
    expect(await bodyOf(port, 'a.test', '/apix')).toBe('a');
    expect(await bodyOf(port, 'x.b.test')).toBe('below');
    expect(await bodyOf(port, 'x.y.b.test')).toBe('below');
  });

  it('uses every upstream', async () => {
    await balancer.writeRoutes({
      host: 'a.test',
      upstreams: [await backend('one'), await backend('two')],
    });
    const port = await balancer.start();
    const bodies = new Set<string>();
    for (let turn = 0; turn < 50; turn += 1) bodies.add(await bodyOf(port));
    expect([...bodies].sort()).toEqual(['one', 'two']);
  });

  it('answers an unknown host with 404 and names nothing of the others', async () => {
    const upstream = await backend('a');
    await balancer.writeRoutes({ host: 'secret.test', path: '/x/', upstreams: [upstream] });
    const port = await balancer.start();
    for (const host of ['other.test', 'test', 'x.secret.test']) {
      const { status, body, headers } = await ask(port, { host });
      expect(status).toBe(404);
      const said = `${body}${JSON.stringify(headers)}`.replaceAll(host, '');
      expect(said).not.toContain('secret');
      expect(said).not.toContain(upstream);
    }
    expect((await ask(port, { host: 'secret.test', path: '/' })).status).toBe(404);
  });

  it('serves nothing by an empty table', async () => {
    await balancer.writeRoutes();
    expect((await ask(await balancer.start())).status).toBe(404);
  });
});

describe('when the file changes', () => {
  let port: number;
  let old: string;
  let other: string;

  beforeEach(async () => {
    [old, other] = [await backend('old'), await backend('new')];
    await balancer.writeRoutes({ host: 'a.test', upstreams: [old] });
    port = await balancer.start('--workers', '2');
    expect(await bodyOf(port)).toBe('old');
  });

  it('follows within a moment, in every worker', async () => {
    await balancer.writeRoutes(
      { host: 'a.test', upstreams: [other] },
      { host: 'b.test', upstreams: [old] },
    );
    await becomes(port, 'b.test', 'old');
    await balancer.says('2 changed');
    await sleep(200);
    for (let turn = 0; turn < 20; turn += 1) expect(await bodyOf(port)).toBe('new');
  });

  it('forgets a host that is gone', async () => {
    await balancer.writeRoutes({ host: 'b.test', upstreams: [other] });
    await becomes(port, 'a.test', 'No site');
    await becomes(port, 'b.test', 'new');
  });

  it('follows a file that is renamed over it, again and again', async () => {
    for (const upstream of [other, old, other]) {
      const fresh = join(balancer.directory, '.routes.json.swp');
      const routes = [{ host: 'a.test', upstreams: [upstream] }];
      await writeFile(fresh, JSON.stringify({ routes }));
      await rename(fresh, balancer.routesFile);
      await becomes(port, 'a.test', upstream === old ? 'old' : 'new');
    }
  });

  it('keeps the table by a wrong file, and says line and field, once', async () => {
    const text = `{"routes": [\n  {"host": "a.test", "upstreams": ["${other}", "x"]}\n]}`;
    await writeFile(balancer.routesFile, text);
    await balancer.says(/routes\.json:2:\d+: routes\[0\]\.upstreams\[1\]: ADDRESS:PORT is needed/);
    await balancer.says('the routes stay as they were');
    // Written again without a change, which the poll sees too.
    await writeFile(balancer.routesFile, text);
    await sleep(2_500);
    expect(balancer.stderr.split('upstreams[1]').length - 1).toBe(1);
    expect(await bodyOf(port)).toBe('old');
    await balancer.writeRoutes({ host: 'a.test', upstreams: [other] });
    await becomes(port, 'a.test', 'new');
  });

  it('keeps the table by two routes for one place, and names both lines', async () => {
    const route = JSON.stringify({ host: 'a.test', upstreams: [other] });
    await writeFile(balancer.routesFile, `{"routes": [\n${route},\n\n${route}]}`);
    await balancer.says('routes.json:4:1: routes[1]: "a.test" has a route for "/" already');
    await balancer.says('routes[0] in line 2');
    expect(await bodyOf(port)).toBe('old');
  });

  it('says nothing of a file that is written in two halves', async () => {
    const text = JSON.stringify({ routes: [{ host: 'a.test', upstreams: [other] }] });
    await writeFile(balancer.routesFile, text.slice(0, 30));
    await sleep(120);
    await writeFile(balancer.routesFile, text);
    await becomes(port, 'a.test', 'new');
    expect(balancer.stderr).not.toContain('stay as they were');
  });

  it('keeps the table when the file is deleted, and follows it when it is back', async () => {
    await rm(balancer.routesFile);
    await balancer.says('routes.json: there is no such file');
    expect(await bodyOf(port)).toBe('old');
    await balancer.writeRoutes({ host: 'a.test', upstreams: [other] });
    await becomes(port, 'a.test', 'new');
  });

  it('answers HUP even when nothing changed', async () => {
    balancer.signal('SIGHUP');
    await balancer.says('routes.json: unchanged');
  });

  it('lets requests end on an upstream that is taken out', async () => {
    const slow = await backend('slow', 1_500);
    await balancer.writeRoutes({ host: 'a.test', upstreams: [slow] });
    await balancer.says('1 changed');
    await sleep(200);
    const answer = ask(port);
    await sleep(300);
    await balancer.writeRoutes({ host: 'a.test', upstreams: [other] });
    await becomes(port, 'a.test', 'new');
    expect((await answer).body).toBe('slow');
  });
});

describe('its command line', () => {
  it('refuses to start by a wrong file', async () => {
    await writeFile(balancer.routesFile, '{"routes": [{"host": "a.test"}]}');
    const { code, stderr } = await balancer.run('--listen', '127.0.0.1:0');
    expect(code).toBe(1);
    expect(stderr).toContain('routes.json:1:13: routes[0]: "upstreams" is missing');
  });

  it('refuses to start without a file', async () => {
    const { code, stderr } = await balancer.run('--listen', '127.0.0.1:0');
    expect([code, stderr]).toEqual([1, expect.stringContaining('there is no such file')]);
  });

  it('checks a file and exits', async () => {
    await balancer.writeRoutes({ host: 'a.test', upstreams: ['127.0.0.1:1', '127.0.0.1:2'] });
    expect(await balancer.run('--check')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('1 host, 2 upstreams') as string,
    });
    await writeFile(balancer.routesFile, '{');
    expect(await balancer.run('--check')).toMatchObject({ code: 1, stdout: '' });
  });

  it.each([1, 2])('names a port in use and what to do (%i workers)', async (workers) => {
    await balancer.writeRoutes();
    const taken = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => taken.once('listening', resolve));
    const { port } = taken.address() as AddressInfo;
    const where = `127.0.0.1:${port}`;
    const { code, stderr } = await balancer.run('--listen', where, '--workers', `${workers}`);
    taken.close();
    expect(code).toBe(1);
    expect(stderr).toContain(`cannot listen on ${where}: another process listens there`);
    expect(stderr).toContain(`ss -ltnp 'sport = :${port}'`);
  });

  it('takes no port from a balancer of the same user', async () => {
    await balancer.writeRoutes();
    const port = await balancer.start('--workers', '2');
    const second = await StandaloneBalancer.create();
    await second.writeRoutes();
    const { code } = await second.run('--listen', `127.0.0.1:${port}`, '--workers', '2');
    await second.close();
    expect(code).toBe(1);
  });

  it('names an address that the machine does not have', async () => {
    await balancer.writeRoutes();
    const { code, stderr } = await balancer.run('--listen', '192.0.2.1:8080');
    expect(code).toBe(1);
    expect(stderr).toContain('cannot listen on 192.0.2.1:8080: the machine does not have this');
  });

  it('listens in several places, on both families', async () => {
    await balancer.writeRoutes({ host: 'a.test', upstreams: [await backend('a')] });
    const port = await balancer.start('--listen', '[::1]:0');
    await balancer.says(/listening on \[::1\]:\d+/);
    const port6 = Number(/\[::1\]:(\d+)/.exec(balancer.stderr)?.[1]);
    expect(await bodyOf(port)).toBe('a');
    const answer = await new Promise<string>((resolve, reject) => {
      const asked = request({ host: '::1', port: port6, headers: { host: 'a.test' } });
      asked.on('error', reject).on('response', (response) => {
        collect(response).then(({ body }) => resolve(body), reject);
      });
      asked.end();
    });
    expect(answer).toBe('a');
  });

  it('takes a socket that is handed to it', async () => {
    await balancer.writeRoutes({ host: 'a.test', upstreams: [await backend('a')] });
    const port = await balancer.startOnDescriptor();
    for (let turn = 0; turn < 20; turn += 1) expect(await bodyOf(port)).toBe('a');
  });

  it('refuses a descriptor that is no socket', async () => {
    await balancer.writeRoutes();
    const { code, stderr } = await balancer.run('--listen-fd', '77');
    expect([code, stderr]).toEqual([1, expect.stringContaining('--listen-fd 77: the descriptor')]);
  });

  it('believes the proxies it is told to believe', async () => {
    const seen: (string | undefined)[] = [];
    const echo = await httpBackend((asked, response) => {
      seen.push(asked.headers['x-forwarded-for']?.toString());
      response.end();
    });
    await balancer.writeRoutes({ host: 'a.test', upstreams: [`127.0.0.1:${echo.port}`] });
    const port = await balancer.start('--trusted-peer', '127.0.0.0/8');
    await ask(port, { headers: { 'X-Forwarded-For': '203.0.113.9' } });
    await echo.close();
    expect(seen).toEqual(['203.0.113.9, 127.0.0.1']);
  });

  it('names a user that does not exist', async () => {
    await balancer.writeRoutes();
    const { code, stderr } = await balancer.run('--listen', '127.0.0.1:0', '--user', 'no-one-here');
    expect([code, stderr]).toEqual([2, expect.stringContaining('there is no such user')]);
  });
});
