// Visitors must not notice that a site moves: deploys and rollbacks under load, and not one request
// may fail. The load generator never repeats a request.
import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { sharedInstallation, type TestInstallation } from '../support/installation.ts';
import type { LoadReport } from '../support/load.ts';
import { type Files, ledger, ledgerViews, Workshop } from '../support/projects.ts';

const APP = 'busy';
const OTHER = 'busy-other';
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
  for (const app of [APP, OTHER]) await t.tandem(['destroy', '-a', app, '--confirm', app]);
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
      pauseMs: 800,
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

const FASTAPI = `from fastapi import FastAPI, Request
app = FastAPI()

@app.api_route("/", methods=["GET", "POST"])
async def index(request: Request):
    return "whole " + (await request.body()).decode()
`;

const WSGI = `def app(environ, start_response):
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"whole " + body]
`;

/** Of the project's own choice: they close idle connections after 2 s and 5 s, and we are not told. */
const SERVERS: Readonly<Record<string, Files>> = {
  'gunicorn with threads of a Procfile': {
    'requirements.txt': 'gunicorn\n',
    Procfile: 'web: gunicorn --threads 8 site1:app\n',
    'site1.py': WSGI,
  },
  'uvicorn of a Procfile': {
    'requirements.txt': 'fastapi\nuvicorn\n',
    Procfile: 'web: uvicorn --host 0.0.0.0 --port $PORT main:app\n',
    'main.py': FASTAPI,
  },
};

it.each(Object.entries(SERVERS))('%s: restarts under load fail no request', async (_, files) => {
  const source = await workshop.write(randomUUID(), files);
  await t.mustTandem(['deploy', source, '-a', OTHER]);
  const loads = await Promise.all(
    // Around and beyond the keep-alive of the servers, where a connection that closes is met.
    [100, 1_980, 5_000].map((pauseMs) =>
      t.load(OTHER, {
        pauseMs,
        requests: [
          { method: 'POST', path: '/', body: 'x', expectStatus: [200], expectText: 'whole' },
          { method: 'GET', path: '/', expectStatus: [200], expectText: 'whole' },
        ],
      }),
    ),
  );
  for (let restart = 0; restart < 2; restart += 1) {
    await t.mustTandem(['restart', '-a', OTHER]);
    await sleep(4_000);
  }
  for (const load of loads) {
    const report = await load.stop();
    expect(report.failures).toEqual({});
    expect(report.requests).toBeGreaterThan(100);
  }
});
