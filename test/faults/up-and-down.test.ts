// script/up and script/down, as an operator uses and misuses them.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findLeftovers } from '../../packages/platform/src/adapters/leftovers/find-leftovers.ts';
import { findProcesses } from '../../packages/platform/src/adapters/leftovers/processes.ts';
import { waitFor } from '../../packages/platform/src/adapters/s6/service-state.ts';
import { runCommand } from '../../packages/platform/src/lib/run-command.ts';
import { platformLogs } from '../../packages/platform/src/ports/paths.ts';
import {
  createInstallation,
  destroyInstallation,
  runScript,
  TestInstallation,
} from '../support/installation.ts';

const SERVICES = ['sockets', 'dns', 'static', 'agent', 'balancer-0'];

const pidsOf = async (t: TestInstallation): Promise<number[]> =>
  await Promise.all(SERVICES.map((service) => t.pid(service)));

/** One installation for a group of tests; each leaves it up. */
function installation(extra: readonly string[]): () => TestInstallation {
  let t: TestInstallation;
  beforeAll(async () => {
    t = await TestInstallation.open(await createInstallation(extra));
  });
  afterAll(() => destroyInstallation(t.place));
  return () => t;
}

async function up(t: TestInstallation): Promise<string> {
  const result = await runScript('up', [...t.arguments, '--no-example']);
  expect(result.exitCode, result.stderr).toBe(0);
  expect((await t.client.status()).healthy).toBe(true);
  return result.stdout;
}

async function down(t: TestInstallation): Promise<string> {
  const result = await runScript('down', t.arguments);
  expect(result.exitCode, result.stderr).toBe(0);
  expect(await findLeftovers(t.mark)).toEqual([]);
  return result.stderr;
}

describe('script/up', () => {
  const running = installation(['--domain', 'apps.example']);

  it('run again changes nothing and is quick', async () => {
    const t = running();
    const before = await pidsOf(t);
    const startedMs = performance.now();
    const said = await up(t);
    expect(performance.now() - startedMs).toBeLessThan(4_000);
    expect(said).toContain('nothing was changed');
    expect(said).toMatch(/together +\d+ MiB/);
    expect(await pidsOf(t)).toEqual(before);
  });

  it('repairs what is dead', async () => {
    const t = running();
    const directory = join(t.paths.run, 'services', 'static');
    await runCommand(['s6-svc', '-d', directory], { timeoutMs: 5_000 });
    process.kill(await t.pid('agent'), 'SIGKILL');
    expect(await up(t)).toContain('static');
  });

  it('refuses other settings for what exists, naming both', async () => {
    const t = running();
    expect(t.url('x')).toContain('http://x.apps.example:');
    const refused = await runScript('up', [...t.arguments, '--domain', 'other.example']);
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain('apps.example, not other.example');
    expect((await t.client.status()).healthy).toBe(true);
  });

  it('leaves a supervisor that brings back every daemon and keeps their logs', async () => {
    const t = running();
    for (const service of SERVICES) {
      const before = await t.pid(service);
      process.kill(before, 'SIGKILL');
      const isBack = async () => ![before, -1, 0].includes(await t.pid(service));
      expect(await waitFor(isBack, 10_000), service).toBe(true);
    }
    const isHealthy = async () =>
      (await t.client.status().catch(() => undefined))?.healthy ?? false;
    expect(await waitFor(isHealthy, 60_000)).toBe(true);
    expect((await t.get('nobody')).status).toBe(404);
    const log = join(platformLogs(t.paths), 'balancer-0', 'current');
    expect(await readFile(log, 'utf8')).toContain('serves');
  });

  it('names a port that is taken, and leaves nothing behind', async () => {
    // createInstallation takes down what it made, and fails when anything is left.
    const taken = createInstallation(['--port', String(running().port)]);
    await expect(taken).rejects.toThrow(/Address already in use/);
  });

  it.each([
    [['--prot', '1'], /--prot/],
    [['--installation', '../x'], /"\.\.\/x"/],
    [['--sandbox', 'docker'], /docker/],
  ])('refuses %j', async (args, named) => {
    const refused = await runScript('up', args);
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toMatch(named);
  });
});

describe('script/down', () => {
  const running = installation([]);

  it('ends databases in order, keeps the data, and works twice', async () => {
    const t = running();
    await down(t);
    const log = join(t.paths.data, 'logs/0/postgresql~-~postgresql.log');
    expect(await readFile(log, 'utf8')).toContain('database system is shut down');
    await down(t);
    await up(t);
  });

  it('works when the agent hangs, the supervisor is dead and the identity is damaged', async () => {
    const t = running();
    const file = join(t.paths.data, 'installation.json');
    const text = await readFile(file, 'utf8');
    await writeFile(file, text.slice(0, 30));
    process.kill(await t.pid('agent'), 'SIGSTOP');
    const own = await findProcesses(t.mark);
    const supervisor = own.find(({ command }) => command.startsWith('s6-svscan'));
    process.kill(supervisor?.pid ?? 0, 'SIGKILL');

    const result = await runScript('down', t.arguments);
    expect(result.stderr).toContain('is damaged');
    await writeFile(file, text);
    await down(t);
  });

  it('says when there is no such installation', async () => {
    const none = await runScript('down', ['--installation', 'nobody-has-this-name']);
    expect(none.exitCode).toBe(0);
    expect(none.stderr).toContain('There is no installation');
  });
});
