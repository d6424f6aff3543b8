// HTTPS from the command to the visitor: a domain, a certificate of a real authority, renewals that
// nobody notices, and an authority that goes away.
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, type PeerCertificate, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AcmeServer, freePort } from '../support/acme-server.ts';
import { until } from '../support/certificate-fixture.ts';
import { HttpsLoad } from '../support/https-load.ts';
import {
  createInstallation,
  destroyInstallation,
  TestInstallation,
  type Answer,
  type InstallationPlace,
} from '../support/installation.ts';
import { Workshop, type Files } from '../support/projects.ts';
import { StubDns } from '../support/stub-dns.ts';
import { FLASK_REQUIREMENTS } from '../support/tiny-projects.ts';

const APP = 'shop';
const HOST = 'shop.example';
/** Renewed when a third is left, so every twenty seconds. */
const VALIDITY_S = 30;
const RENEWALS = 2;

const SITE: Files = {
  'requirements.txt': FLASK_REQUIREMENTS,
  'app.py': `import os

from flask import Flask, request

app = Flask(__name__)


@app.get("/")
def index():
    return f"came by {request.scheme} to {request.host}; {os.environ['TANDEM_ORIGINS']}"
`,
};

let dns: StubDns;
let acme: AcmeServer;
let directory: string;
let workshop: Workshop;
let place: InstallationPlace;
let t: TestInstallation;
let httpsPort: number;
let root: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tandem-https-'));
  workshop = await Workshop.open();
  dns = await StubDns.start();
  dns.add(HOST, 'A', '127.0.0.1');
  const httpPort = await freePort();
  httpsPort = await freePort();
  acme = await AcmeServer.start({ dns, httpPort, tlsPort: httpsPort, validityS: VALIDITY_S });
  root = await acme.rootPem();
  const caFile = join(directory, 'ca.pem');
  await writeFile(caFile, acme.caPem);
  place = await createInstallation([
    ...['--port', String(httpPort), '--https-port', String(httpsPort)],
    ...['--acme-directory', acme.directoryUrl, '--acme-ca', caFile],
    ...['--dns-server', dns.address, '--public-address', '127.0.0.1'],
  ]);
  t = await TestInstallation.open(place);
  await t.mustTandem(['deploy', await workshop.write(APP, SITE), '-a', APP]);
});
afterAll(async () => {
  await destroyInstallation(place);
  await acme.stop();
  await dns.stop();
  await workshop.close();
  await rm(directory, { recursive: true, force: true });
});

/** By HTTPS; trusts the authority of this test and nobody else. */
async function get(host: string, path = '/'): Promise<Answer> {
  const outgoing = request({
    ...{ host: '127.0.0.1', port: httpsPort, servername: host, ca: root, path, agent: false },
    headers: { host: `${host}:${httpsPort}` },
    signal: AbortSignal.timeout(20_000),
  }).end();
  const [response] = (await once(outgoing, 'response')) as [
    NodeJS.ReadableStream & { statusCode: number; headers: Answer['headers'] },
  ];
  return { status: response.statusCode, headers: response.headers, body: await text(response) };
}

/** What is shown, trusted or not. */
async function shown(host: string): Promise<PeerCertificate> {
  const socket: TLSSocket = connect({
    ...{ host: '127.0.0.1', port: httpsPort, servername: host, rejectUnauthorized: false },
  });
  await once(socket, 'secureConnect');
  const certificate = socket.getPeerCertificate();
  socket.destroy();
  return certificate;
}

const stateNow = async (): Promise<string | undefined> => {
  const views = await t.client.listDomains(APP);
  return views.find(({ host }) => host === HOST)?.certificate.state;
};

describe('HTTPS', () => {
  it('is spoken for every app from the first moment, with a certificate of our own', async () => {
    const certificate = await shown(t.hostname(APP));
    expect(certificate.subjectaltname).toContain(`DNS:*.${t.installation.suffix}`);
    expect((await t.get(APP)).body).toContain('came by http');
  });

  it('comes with a domain: a trusted certificate, and everybody is led there', async () => {
    const { stdout } = await t.mustTandem(['domains', 'add', HOST, '-a', APP]);
    expect(stdout).toContain(`${HOST} leads to "${APP}"`);
    expect(stdout).toContain('valid');
    const answer = await until(() => get(HOST).catch(() => undefined));
    expect(answer).toMatchObject({ status: 200 });
    expect(answer.body).toContain(`came by https to ${HOST}:${httpsPort}`);
    const insecure = await until(async () => {
      const plain = await t.request(APP, '/a?b=c', { headers: { host: `${HOST}:${t.port}` } });
      return plain.status === 200 ? undefined : plain;
    });
    expect([301, 308]).toContain(insecure.status);
    expect(insecure.headers['location']).toBe(`https://${HOST}:${httpsPort}/a?b=c`);
    // Its own name has no certificate that anybody trusts.
    expect((await t.get(APP)).status).toBe(200);
  });

  it('is where the addresses of the app lead, for people and for the app', async () => {
    const app = (await t.client.listApps()).find(({ name }) => name === APP);
    expect(app?.urls).toEqual([
      `http://${t.hostname(APP)}:${t.port}`,
      `https://${HOST}:${httpsPort}`,
    ]);
    await t.mustTandem(['restart', '-a', APP]);
    const { body } = await get(HOST);
    expect(body).toContain(`,https://${HOST}:${httpsPort}`);
    expect(body).not.toContain(`,http://${HOST}`);
  });

  it(`${RENEWALS} renewals and a restart of a balancer fail no request`, async () => {
    const load = new HttpsLoad({
      ...{ port: httpsPort, host: HOST, ca: root, visitors: 8, pauseMs: 100 },
      expectText: 'came by https',
    });
    try {
      await until(() => load.seen.size >= 2, VALIDITY_S * 1_000);
      process.kill(await t.pid('balancer-0'), 'SIGTERM');
      await until(() => load.seen.size > RENEWALS, VALIDITY_S * 1_000);
      await sleep(1_000);
    } finally {
      await load.stop();
    }
    expect(load.failures).toEqual([]);
    expect(load.requests).toBeGreaterThan(500);
  });

  it('goes on by the old certificate while the authority is away, and says so', async () => {
    const before = (await shown(HOST)).fingerprint256;
    await acme.stop();
    await until(async () => ['failing', 'expired'].includes((await stateNow()) ?? ''), 60_000);
    const { stdout } = await t.mustTandem(['domains', '-a', APP]);
    expect(stdout).toContain('CERTIFICATE_AUTHORITY_UNREACHABLE');
    const now = (await shown(HOST)).fingerprint256;
    expect(now.length).toBe(before.length);
    expect(now).not.toBe((await shown(t.hostname(APP))).fingerprint256);
  });
});
