// `kill -9` of everything that serves a site, one after the other and under load: visitors do not
// notice, and what was under way is finished, once.
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DeployPhase } from '@tandem/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { InstanceRecord } from '../../packages/platform/src/runner/records.ts';
import { parse } from 'valibot';
import { scratchFiles } from '../../packages/platform/src/ports/paths.ts';
import { sharedInstallation, type TestInstallation } from '../support/installation.ts';
import type { Load } from '../support/load-process.ts';
import type { LoadRequest } from '../support/load.ts';
import { ledger, ledgerViews, migration, Workshop } from '../support/projects.ts';

const APP = 'steady';
/** Of each of the 64 connections, between two requests. */
const PAUSE_MS = 700;
const BACK_TIMEOUT_MS = 60_000;
const EVENT_TIMEOUT_MS = 120_000;

const GET: LoadRequest = {
  method: 'GET',
  path: '/',
  expectStatus: [200],
  expectText: 'on postgresql',
};
const POST: LoadRequest = { method: 'POST', path: '/entries', body: 'x', expectStatus: [201] };

let t: TestInstallation;
let workshop: Workshop;
let source: string;
beforeAll(async () => {
  t = await sharedInstallation();
  workshop = await Workshop.open();
  source = await workshop.write(APP, ledger('0'));
  await t.mustTandem(['deploy', source, '-a', APP]);
});
afterAll(async () => {
  await t.tandem(['destroy', '-a', APP, '--confirm', APP]);
  await workshop.close();
});

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Kills a daemon; resolves once its successor works. */
async function killDaemon(service: string): Promise<void> {
  const before = await t.pid(service);
  process.kill(before, 'SIGKILL');
  await expect
    .poll(() => t.pid(service), { timeout: BACK_TIMEOUT_MS })
    .toSatisfy((pid) => pid !== before && pid > 0);
  await expect
    .poll(async () => (await t.client.status().catch(() => undefined))?.healthy, {
      timeout: BACK_TIMEOUT_MS,
    })
    .toBe(true);
}

async function instances() {
  const views = await t.client.listProcesses(APP);
  return await Promise.all(
    views.map(async ({ name, instanceId, state, restarts }) => {
      const file = join(t.paths.data, 'instances', `${instanceId}.json`);
      const record = parse(InstanceRecord, JSON.parse(await readFile(file, 'utf8')));
      return { name, instanceId, state, restarts, pid: record.sandbox?.pid ?? 0 };
    }),
  );
}

async function expectNoneFailed(load: Load, requestsMin: number): Promise<void> {
  const report = await load.stop();
  console.log(`${report.requests} requests, slowest ${report.slowestMs} ms`);
  expect(report.failures).toEqual({});
  expect(report.requests).toBeGreaterThan(requestsMin);
}

describe('the agent', () => {
  it('is killed three times: instances are adopted, no request fails, deploys go on', async () => {
    const before = await instances();
    expect(before).toMatchObject([{ state: 'running', restarts: 0 }]);
    const load = await t.load(APP, { requests: [GET, POST], pauseMs: PAUSE_MS });
    for (let round = 0; round < 3; round += 1) {
      await killDaemon('agent');
      await pause(500);
      expect(await instances()).toEqual(before);
    }
    await writeFile(join(source, 'entries/views.py'), ledgerViews('1'));
    await t.mustTandem(['deploy', source, '-a', APP]);
    expect((await t.get(APP)).body).toContain('ledger 1');
    await expectNoneFailed(load, 500);
  });
});

describe('a deploy whose agent is killed', () => {
  it.each<[DeployPhase, number]>([
    ['build', 400],
    ['release', 0],
    ['migrate', 1_000],
    ['start', 700],
    ['switch', 500],
  ])('in the phase "%s" is finished by the next one', async (phase, afterMs) => {
    const [last] = await t.client.listDeploys(APP);
    const version = `killed-in-${phase}`;
    await change(version, (last?.deploy ?? 0) + 1);
    const load = await t.load(APP, { requests: [GET, POST], pauseMs: PAUSE_MS });

    const cli = t.startTandem(['deploy', source, '-a', APP, '--events']);
    // A switch is over in a moment, unless a balancer does not acknowledge it.
    const balancer = await t.pid('balancer-0');
    if (phase === 'switch') {
      await cli.shows('"phase":"start","state":"started"', EVENT_TIMEOUT_MS);
      process.kill(balancer, 'SIGSTOP');
    }
    try {
      await cli.shows(`"phase":"${phase}","state":"started"`, EVENT_TIMEOUT_MS);
      await pause(afterMs);
      expect(cli.stdout).not.toContain(`"phase":"${phase}","state":"done"`);
      process.kill(await t.pid('agent'), 'SIGKILL');
    } finally {
      process.kill(balancer, 'SIGCONT');
    }

    const { exitCode, stdout, stderr } = await cli.ended();
    expect(exitCode, stdout + stderr).toBe(0);
    expect(stdout.trimEnd().split('\n').at(-1)).toContain('"state":"live"');
    expect((await t.get(APP)).body).toContain(`ledger ${version}`);
    await expectNoneFailed(load, 100);
    await expectMigratedOnce(version);
    await expectNothingHalfMade();
  });

  /** New code that takes its time to start, and a migration that takes its time and leaves a row. */
  async function change(version: string, number: number): Promise<void> {
    const name = `${String(number).padStart(4, '0')}_step`;
    const files = await readdir(join(source, 'entries/migrations'));
    const before = files.filter((file) => /^\d/.test(file)).toSorted();
    const after = before.at(-1)?.replace('.py', '') ?? '';
    await workshop.write(APP, {
      'entries/views.py': `${ledgerViews(version)}\ntime.sleep(0.5)\n`,
      [`entries/migrations/${name}.py`]: migration(
        [after],
        `migrations.RunPython(lambda apps, _: (
            print("${version} migrates", flush=True),
            __import__("time").sleep(2),
            apps.get_model("entries", "Entry").objects.create(text="${version}"),
        ))`,
      ),
    });
  }

  async function expectMigratedOnce(version: string): Promise<void> {
    expect((await t.get(APP, `/entries?text=${version}`)).body).toBe('entries 1');
    const { stdout } = await t.mustTandem(['logs', '-a', APP, '-p', 'release']);
    expect(stdout.split(`${version} migrates`)).toHaveLength(2);
  }

  async function expectNothingHalfMade(): Promise<void> {
    await expect.poll(async () => (await instances()).length, { timeout: 90_000 }).toBe(1);
    const builds = await readdir(scratchFiles(t.paths));
    expect(builds.filter((name) => name.startsWith('build-'))).toEqual([]);
    expect((await t.client.getApp(APP)).state).toBe('live');
  }
});

describe('an instance', () => {
  it('that is the only one is restarted; requests that can be repeated wait for it', async () => {
    const [before] = await instances();
    const load = await t.load(APP, { requests: [GET], pauseMs: PAUSE_MS });
    await pause(1_000);
    process.kill(before?.pid ?? 0, 'SIGKILL');
    await expect
      .poll(() => instances(), { timeout: BACK_TIMEOUT_MS })
      .toMatchObject([{ instanceId: before?.instanceId, state: 'running', restarts: 1 }]);
    await pause(1_000);
    await expectNoneFailed(load, 100);
  });

  it('that is one of two is made up for by the other', async () => {
    await t.mustTandem(['scale', '-a', APP, 'web=2']);
    const before = await instances();
    const load = await t.load(APP, { requests: [GET], pauseMs: PAUSE_MS });
    await pause(1_000);
    process.kill(before[1]?.pid ?? 0, 'SIGKILL');
    const back = [
      { state: 'running', restarts: before[0]?.restarts },
      { state: 'running', restarts: (before[1]?.restarts ?? 0) + 1 },
    ];
    await expect.poll(() => instances(), { timeout: BACK_TIMEOUT_MS }).toMatchObject(back);
    await expectNoneFailed(load, 100);
    await t.mustTandem(['scale', '-a', APP, 'web=1']);
  });
});

describe('a balancer worker', () => {
  it('is killed: the node accepts every new connection, and the next switch reaches both', async () => {
    const before = await t.pid('balancer-0');
    process.kill(before, 'SIGKILL');
    for (let visit = 0; visit < 100; visit += 1) expect((await t.get(APP)).status).toBe(200);
    await expect.poll(() => t.pid('balancer-0'), { timeout: BACK_TIMEOUT_MS }).not.toBe(before);
    await expect
      .poll(async () => (await t.client.status()).healthy, { timeout: BACK_TIMEOUT_MS })
      .toBe(true);
    const { stdout, stderr } = await t.mustTandem(['restart', '-a', APP]);
    expect(stdout + stderr).toMatch(/Switch +(\d+)\/\1 balancers/);
  });
});
