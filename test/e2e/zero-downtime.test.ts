// Visitors must not notice that a site moves: deploys and rollbacks under load, and not one request
// may fail. The load generator never repeats a request.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { sharedInstallation, type TestInstallation } from '../support/installation.ts';
import type { LoadReport } from '../support/load.ts';
import { ledger, ledgerViews, Workshop } from '../support/projects.ts';

const APP = 'busy';
const DEPLOYS = 20;
const ROLLBACKS = 5;
/** Two minutes on an idle machine with two cores. */
const TIMEOUT_MS = 900_000;

let t: TestInstallation;
let workshop: Workshop;
beforeAll(async () => {
  t = await sharedInstallation();
  workshop = await Workshop.open();
});
afterAll(async () => {
  await t.tandem(['destroy', '-a', APP, '--confirm', APP]);
  await workshop.close();
});

const describe = ({ requests, failed, slowestMs }: LoadReport, tookMs: readonly number[]): string =>
  `${requests} requests, ${failed} failed, slowest ${slowestMs} ms; ` +
  `deploys of ${Math.round(Math.min(...tookMs))} to ${Math.round(Math.max(...tookMs))} ms`;

const expectVersion = async (version: string): Promise<void> =>
  expect((await t.get(APP)).body).toBe(`ledger ${version} on postgresql`);

it(
  `${DEPLOYS} deploys and ${ROLLBACKS} rollbacks fail no request`,
  async () => {
    const source = await workshop.write(APP, ledger('0'));
    await t.mustTandem(['deploy', source, '-a', APP]);
    const load = await t.load(APP, {
      pauseMs: 250,
      requests: [
        { method: 'GET', path: '/', expectStatus: [200], expectText: 'on postgresql' },
        { method: 'POST', path: '/entries', body: 'x', expectStatus: [201], expectText: 'entry ' },
        { method: 'GET', path: '/entries', expectStatus: [200], expectText: 'entries ' },
      ],
    });

    const tookMs: number[] = [];
    for (let deploy = 1; deploy <= DEPLOYS; deploy += 1) {
      await writeFile(join(source, 'entries/views.py'), ledgerViews(String(deploy)));
      const startedMs = performance.now();
      await t.mustTandem(['deploy', source, '-a', APP]);
      tookMs.push(performance.now() - startedMs);
      await expectVersion(String(deploy));
      if (deploy % (DEPLOYS / ROLLBACKS) !== 0) continue;
      await t.mustTandem(['rollback', '-a', APP]);
      await expectVersion(String(deploy - 1));
    }

    const report = await load.stop();
    console.log(describe(report, tookMs));
    expect(report.failures).toEqual({});
    expect(report.failed).toBe(0);
    expect(report.methods['GET']).toBeGreaterThan(1_000);
    expect(report.methods['POST']).toBeGreaterThan(500);
    // Every acknowledged write is there, and none was sent twice.
    expect((await t.get(APP, '/entries')).body).toBe(`entries ${report.methods['POST']}`);
  },
  TIMEOUT_MS,
);
