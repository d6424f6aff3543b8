// Certificates on their way from the nexus to a balancer, over the real link: changes, missed changes,
// a nexus that comes anew, and none at all.
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  createTransportClient,
  createTransportServer,
  ensureCurveKeys,
  ipcEndpoints,
  writeAdmittedKeys,
} from '../../packages/platform/src/adapters/zeromq/index.ts';
import { CertificateFeed } from '../../packages/platform/src/balancer/tls/certificate-feed.ts';
import type { CertificateShelf } from '../../packages/platform/src/balancer/tls/certificate-shelf.ts';
import { systemClock } from '../../packages/platform/src/lib/system-clock.ts';
import type {
  CertificateChange,
  ServedCertificate,
} from '../../packages/platform/src/nexus/certificates/certificate-feed.ts';
import { CertificatePublisher } from '../../packages/platform/src/nexus/certificates/certificate-publisher.ts';
import { BALANCER_MESSAGES } from '../../packages/platform/src/ports/balancer-messages.ts';
import { until } from '../support/certificate-fixture.ts';

const certificate = (host: string, serial = 1): ServedCertificate => ({
  host,
  names: [host],
  chainPem: `-----BEGIN CERTIFICATE----- ${serial}`,
  privateKeyPem: `-----BEGIN PRIVATE KEY----- ${serial}`,
  source: 'acme',
  fingerprint: `${serial}`,
  notAfterMs: 1,
  isFallback: false,
});

/** What the nexus keeps, without a store. */
class Kept {
  readonly #all = new Map<string, ServedCertificate>();
  readonly #listeners = new Set<(change: CertificateChange) => void>();

  certificates = (): ServedCertificate[] => [...this.#all.values()];

  onCertificate = (listener: (change: CertificateChange) => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  put(one: ServedCertificate): void {
    this.#all.set(one.host, one);
    for (const listener of this.#listeners) listener({ kind: 'set', certificate: one });
  }

  remove(host: string): void {
    this.#all.delete(host);
    for (const listener of this.#listeners) listener({ kind: 'removed', host });
  }
}

/** Host -> the last word of its certificate. */
class Shown {
  readonly hosts = new Map<string, string>();
  ticketKeys: Buffer | undefined;

  put = ({ hosts, certificatePem }: { hosts: readonly string[]; certificatePem: string }): void => {
    for (const host of hosts) this.hosts.set(host, certificatePem.split(' ').at(-1) ?? '');
  };

  remove = (hosts: readonly string[]): void => {
    for (const host of hosts) this.hosts.delete(host);
  };

  setTicketKeys = (keys: Buffer): void => {
    this.ticketKeys = keys;
  };
}

let directory: string;
let kept: Kept;
const ending: (() => Promise<void>)[] = [];
const logged: string[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tandem-c-'));
  kept = new Kept();
  const { publicKey } = await ensureCurveKeys(directory, 'balancer');
  await writeAdmittedKeys(join(directory, 'admitted'), { balancer: publicKey });
  await ensureCurveKeys(directory, 'nexus');
});
afterEach(async () => {
  for (const end of ending.splice(0).toReversed()) await end();
  await rm(directory, { recursive: true, force: true });
});

const endpoints = () => ipcEndpoints(join(directory, 's'));
const fileOf = (name: string): string => join(directory, `${name}.json`);

async function startNexus(): Promise<() => Promise<void>> {
  const server = await createTransportServer({
    endpoints: [endpoints()],
    keys: await ensureCurveKeys(directory, 'nexus'),
    admittedKeysFile: join(directory, 'admitted'),
    schemas: BALANCER_MESSAGES,
    log: (line) => logged.push(line),
  });
  const stopping = new AbortController();
  const publisher = new CertificatePublisher({
    ...{ server, clock: systemClock },
    report: (text) => logged.push(text),
  });
  server.onRequest((message) => Promise.resolve().then(() => publisher.answer(message)));
  publisher.follow(kept, stopping.signal);
  const stop = async (): Promise<void> => {
    stopping.abort();
    await server.close();
  };
  ending.push(stop);
  return stop;
}

async function startBalancer(name = 'b'): Promise<{ shown: Shown; stop: () => Promise<void> }> {
  const keys = await ensureCurveKeys(directory, 'balancer');
  const { publicKey } = await ensureCurveKeys(directory, 'nexus');
  const log = (line: string): void => void logged.push(line);
  const transport = createTransportClient({
    ...{ name, keys, log, schemas: BALANCER_MESSAGES },
    servers: [{ endpoints: endpoints(), publicKey }],
  });
  const shown = new Shown();
  const shelf = shown as unknown as CertificateShelf;
  const feed = new CertificateFeed({ transport, shelf, log, path: fileOf(name) });
  const stop = async (): Promise<void> => {
    await feed.stop();
    await transport.close();
  };
  ending.push(stop);
  await feed.start();
  return { shown, stop };
}

describe('a balancer', () => {
  it('shows what there is when it starts, and every change soon after', async () => {
    kept.put(certificate('a.test'));
    await startNexus();
    const [one, other] = await Promise.all([startBalancer('b0'), startBalancer('b1')]);
    expect(one.shown.hosts.get('a.test')).toBe('1');
    expect(one.shown.ticketKeys).toHaveLength(48);
    expect(one.shown.ticketKeys).toEqual(other.shown.ticketKeys);
    kept.put(certificate('a.test', 2));
    kept.put(certificate('b.test'));
    kept.remove('a.test');
    for (const { shown } of [one, other])
      await until(() => shown.hosts.get('b.test') === '1' && !shown.hosts.has('a.test'));
  });

  it('finds what changed while no nexus ran, and takes a new one for what it is', async () => {
    kept.put(certificate('a.test'));
    kept.put(certificate('b.test'));
    const stopNexus = await startNexus();
    for (let serial = 2; serial < 6; serial += 1) kept.put(certificate('b.test', serial));
    const { shown } = await startBalancer();
    await stopNexus();
    kept.put(certificate('a.test', 9));
    kept.remove('b.test');
    await startNexus();
    await until(() => shown.hosts.get('a.test') === '9' && !shown.hosts.has('b.test'));
    kept.put(certificate('c.test'));
    await until(() => shown.hosts.has('c.test'));
  });

  it('shows the last it had when it starts without a nexus, from a file nobody else reads', async () => {
    kept.put(certificate('a.test'));
    const stopNexus = await startNexus();
    const first = await startBalancer();
    const ticketKeys = first.shown.ticketKeys ?? Buffer.alloc(0);
    await first.stop();
    expect((await stat(fileOf('b'))).mode & 0o777).toBe(0o600);
    const text = await readFile(fileOf('b'), 'utf8');
    expect(text).not.toContain(ticketKeys.toString('base64'));
    expect(Object.keys(JSON.parse(text) as object)).toEqual(['run', 'epoch', 'certificates']);
    await stopNexus();
    const { shown } = await startBalancer();
    expect(shown.hosts.get('a.test')).toBe('1');
    kept.put(certificate('a.test', 2));
    await startNexus();
    await until(() => shown.hosts.get('a.test') === '2');
  });

  it('starts with a damaged file too, and quotes nothing of it', async () => {
    await writeFile(fileOf('b'), '{"run":"r","epoch":1,"certificates":[{"privateKeyPem":"SECRET');
    const { shown } = await startBalancer();
    expect(shown.hosts.size).toBe(0);
    const line = logged.find((each) => each.includes(fileOf('b')));
    expect(line).toContain('certificates of before are of no use');
    expect(logged.join()).not.toContain('SECRET');
  });
});
