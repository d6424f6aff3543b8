// The real s6: restarts, held sockets, detached life, and an end that leaves nothing.
import { chmod, mkdtemp, readFile, rm, rmdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { listeningSocket } from '../../packages/platform/src/adapters/s6/listening-socket.ts';
import type { Service } from '../../packages/platform/src/adapters/s6/service.ts';
import { waitFor } from '../../packages/platform/src/adapters/s6/service-state.ts';
import { Supervisor } from '../../packages/platform/src/adapters/s6/supervisor.ts';
import { COMMAND_ENV } from '../../packages/platform/src/lib/run-command.ts';

let root: string;
let port: number;
let supervisor: Supervisor;

const SERVER = `
import { createServer } from 'node:http';
const server = () => createServer((_, answer) => answer.end(String(process.pid)));
server().listen({ fd: 0 });
if (process.env.SECOND) server().listen({ fd: 3 });
process.on('SIGUSR2', () => { console.log('orderly end'); process.exit(0); });
`;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'tandem-s6-'));
  // mkdtemp makes 0700, but the service is not root.
  await chmod(root, 0o755);
  port = await freePort();
  supervisor = supervisorHere();
  await writeFile(join(root, 'server.mjs'), SERVER);
});
afterEach(async () => {
  expect(await supervisor.shutDown(20_000)).toBe(true);
  await rm(root, { recursive: true, force: true });
});

const supervisorHere = (place: { cgroup?: string } = {}): Supervisor =>
  new Supervisor({
    ...place,
    scanDirectory: join(root, 'services'),
    logDirectory: join(root, 'logs'),
    env: COMMAND_ENV,
  });

const web = (name = 'web', env: Record<string, string> = {}): Service => ({
  name,
  argv: [process.execPath, join(root, 'server.mjs')],
  env,
  user: { uid: 65534, gid: 65534 },
  sockets: [listeningSocket(join(root, 'services'), 'http', port)],
  dependsOn: ['sockets'],
  ready: { kind: 'http', port },
  stop: { signal: 'SIGTERM', graceMs: 5_000 },
});

describe('Supervisor', () => {
  it('lives in a cgroup of its own, so that no session takes it along', async () => {
    const cgroup = `/tandem-test-${process.pid}-daemons`;
    const ownBefore = await readFile('/proc/self/cgroup', 'utf8');
    supervisor = supervisorHere({ cgroup });
    await supervisor.ensure([web()]);
    const groups = await readFile(`/proc/${await ask()}/cgroup`, 'utf8');
    expect(groups).toMatch(new RegExp(`^\\d+:(name=systemd)?:${cgroup}$`, 'm'));
    expect(await readFile('/proc/self/cgroup', 'utf8')).toBe(ownBefore);
    expect(await supervisor.shutDown(20_000)).toBe(true);
    for (const hierarchy of ['', 'systemd', 'unified']) {
      await rmdir(join('/sys/fs/cgroup', hierarchy, cgroup)).catch(() => undefined);
    }
  });

  it('starts a service as its user, with a socket bound by root', async () => {
    await supervisor.ensure([web()]);
    const pid = await ask();
    expect(pid).toBe(await supervisor.pid('web'));
    expect(await readFile(`/proc/${pid}/status`, 'utf8')).toMatch(/^Uid:\s+65534/m);
  });

  it('gives a second socket too, and keeps it over a restart', async () => {
    const secondPort = await freePort();
    const second = listeningSocket(join(root, 'services'), 'second', secondPort);
    const both = { ...web('web', { SECOND: '1' }) };
    await supervisor.ensure([{ ...both, sockets: [...(both.sockets ?? []), second] }]);
    const pid = await ask();
    expect(await ask(secondPort)).toBe(pid);
    process.kill(pid, 'SIGKILL');
    const next = await ask(secondPort);
    expect(next).not.toBe(pid);
    expect(await ask()).toBe(next);
  });

  it('changes nothing when called again, also from another process', async () => {
    await supervisor.ensure([web()]);
    const pid = await ask();
    const startedMs = performance.now();
    await supervisorHere().ensure([web()]);
    expect(performance.now() - startedMs).toBeLessThan(2_000);
    expect(await ask()).toBe(pid);
  });

  it('restarts only the service whose definition changed', async () => {
    await supervisor.ensure([web('one'), web('two')]);
    const [one, two] = [await supervisor.pid('one'), await supervisor.pid('two')];
    await supervisor.ensure([web('one'), web('two', { CHANGED: 'yes' })]);
    expect(await supervisor.pid('one')).toBe(one);
    const isNew = async () => ![undefined, two].includes(await supervisor.pid('two'));
    expect(await waitFor(isNew, 5_000)).toBe(true);
  });

  it('keeps accepting while the service is dead, and brings it back', async () => {
    await supervisor.ensure([web()]);
    const pid = await ask();
    process.kill(pid, 'SIGKILL');
    const next = await ask();
    expect(next).not.toBe(pid);
  });

  it('binds anew when the holder was killed, beside a socket still in use', async () => {
    await supervisor.ensure([web('one'), web('two')]);
    await replaced('sockets');
    await replaced('one');
    for (let count = 0; count < 20; count += 1) expect(await ask()).toBeGreaterThan(0);
  });

  it('starts again what was stopped', async () => {
    await supervisor.ensure([web()]);
    expect(await supervisor.stop(web())).toBe(true);
    expect(await supervisor.pid('web')).toBeUndefined();
    await supervisor.ensure([web()]);
    expect(await ask()).toBeGreaterThan(0);
  });

  it('asks for an orderly end and leaves the service down', async () => {
    await supervisor.ensure([web()]);
    expect(await supervisor.finish('web', 'SIGUSR2', 5_000)).toBe(true);
    expect(await readFile(join(root, 'logs/web/current'), 'utf8')).toContain('orderly end');
    expect(await supervisor.pid('web')).toBeUndefined();
  });

  it('shows the last words of a service that does not start', async () => {
    const broken: Service = { ...web(), argv: ['/bin/sh', '-c', 'echo the true cause; exit 3'] };
    await expect(supervisor.ensure([broken])).rejects.toMatchObject({
      code: 'SERVICE_FAILED',
      message: expect.stringContaining('the true cause') as string,
    });
  });

  it('refuses a port that somebody else has, also one who would answer in its place', async () => {
    const other = createServer().listen({ host: '::', port });
    await expect(supervisor.ensure([web()])).rejects.toMatchObject({
      code: 'MACHINE_UNFIT',
      message: `port ${port}: Address already in use`,
      hint: expect.stringContaining('ss -ltnp') as string,
    });
    other.close();
  });
});

/** Kills the main process of a service and waits for the next one. */
async function replaced(name: string): Promise<void> {
  const before = (await supervisor.pid(name)) ?? 0;
  process.kill(before, 'SIGKILL');
  const isNew = async () => ![undefined, before].includes(await supervisor.pid(name));
  expect(await waitFor(isNew, 5_000)).toBe(true);
}

async function ask(at = port): Promise<number> {
  const answer = await fetch(`http://127.0.0.1:${at}/`, {
    signal: AbortSignal.timeout(10_000),
    headers: { connection: 'close' },
  });
  return Number(await answer.text());
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0);
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
