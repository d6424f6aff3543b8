// A real authority looks for its challenges at real balancer workers, and what it signs is shown by
// them: with a worker that was killed, with a nexus that is gone, and with sessions that go on.
import { once } from 'node:events';
import { connect, type TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createAcmeAuthority } from '../../packages/platform/src/adapters/acme/acme-authority.ts';
import { BalancerSolver } from '../../packages/platform/src/nexus/certificates/balancer-solver.ts';
import { makeKey } from '../../packages/platform/src/nexus/certificates/certificate-documents.ts';
import type { ServedCertificate } from '../../packages/platform/src/nexus/certificates/certificate-feed.ts';
import { AcmeServer } from '../support/acme-server.ts';
import { TestPlatform } from '../support/balancer-process.ts';
import { until } from '../support/certificate-fixture.ts';
import { StubDns } from '../support/stub-dns.ts';

const HOST = 'shop.example';
const WORKERS = ['balancer-0', 'balancer-1'];

let dns: StubDns;
let platform: TestPlatform;
let acme: AcmeServer;
let stopping: AbortController;

beforeAll(async () => {
  dns = await StubDns.start();
  dns.add(HOST, 'A', '127.0.0.1');
});
afterAll(() => dns.stop());

beforeEach(async () => {
  stopping = new AbortController();
  platform = await TestPlatform.create({ tls: true });
  await platform.startNexus(WORKERS);
  await platform.resolver.open();
  acme = await AcmeServer.start({ dns, httpPort: platform.port, tlsPort: platform.tlsPort });
});
afterEach(async () => {
  stopping.abort();
  await acme.stop();
  await platform.close();
});

async function order(kind: 'http-01' | 'tls-alpn-01'): Promise<ServedCertificate> {
  const { directoryUrl, caPem } = acme;
  const authority = createAcmeAuthority({ directoryUrl, extraCaPem: caPem });
  const privateKeyPem = makeKey();
  const chainPem = await authority.order({
    accountKeyPem: makeKey(),
    privateKeyPem,
    names: [HOST],
    solver: new BalancerSolver({ resolver: platform.resolver, kinds: [kind] }),
    signal: AbortSignal.timeout(60_000),
  });
  const facts = { host: HOST, names: [HOST], source: 'acme' as const, fingerprint: '' };
  return { ...facts, chainPem, privateKeyPem, notAfterMs: 0, isFallback: false };
}

/** As a nexus that has these certificates and no others, for good. */
function follow(...all: ServedCertificate[]): void {
  const keeper = { certificates: () => all, onCertificate: () => () => undefined };
  platform.publisher.follow(keeper, stopping.signal);
}

interface Shown {
  readonly authorized: boolean;
  readonly isReused: boolean;
  readonly session: Buffer | undefined;
}

async function visit(ca: string, session?: Buffer): Promise<Shown> {
  const { promise: told, resolve } = Promise.withResolvers<Buffer>();
  const socket: TLSSocket = connect({
    ...{ host: '127.0.0.1', port: platform.tlsPort, servername: HOST, ca },
    ...(session && { session }),
  });
  socket.on('session', resolve);
  await once(socket, 'secureConnect');
  const isReused = socket.isSessionReused();
  // An answer brings the ticket of TLS 1.3 along.
  socket.write(`GET / HTTP/1.1\r\nHost: ${HOST}\r\nConnection: close\r\n\r\n`);
  socket.resume();
  await once(socket, 'close');
  const ticket = await Promise.race([told, Promise.resolve(undefined)]);
  return { authorized: socket.authorized, isReused, session: ticket };
}

describe('through the balancers', () => {
  it.each(['http-01', 'tls-alpn-01'] as const)(
    'an authority finds the challenge of %s at whichever worker it asks',
    async (kind) => {
      for (const name of WORKERS) await platform.startBalancer(name);
      for (let count = 0; count < 3; count += 1)
        expect((await order(kind)).chainPem).toContain('BEGIN CERTIFICATE');
      expect(platform.resolver.snapshot()).not.toHaveProperty('challenges');
    },
  );

  it('a killed worker holds up no order', async () => {
    for (const name of WORKERS) await platform.startBalancer(name);
    await platform.resolver.waitAcknowledged(platform.epoch, {
      ...{ signal: stopping.signal, timeoutMs: 10_000 },
    });
    await platform.stopBalancer('balancer-1', 'SIGKILL');
    const startedMs = performance.now();
    await order('http-01');
    expect(performance.now() - startedMs).toBeLessThan(14_000);
  });

  it('what it signs is shown, also by a worker that starts while no nexus answers', async () => {
    await platform.startBalancer('balancer-0');
    const [certificate, root] = [await order('http-01'), await acme.rootPem()];
    follow(certificate);
    await until(() =>
      visit(root).then(
        ({ authorized }) => authorized,
        () => false,
      ),
    );
    await platform.stopBalancer('balancer-0');
    await platform.stopNexus();
    await platform.startBalancer('balancer-0');
    expect((await visit(root)).authorized).toBe(true);
  });

  it('a session begun at one worker goes on at another', async () => {
    await platform.startBalancer('balancer-0');
    const [certificate, root] = [await order('http-01'), await acme.rootPem()];
    follow(certificate);
    await until(() =>
      visit(root).then(
        ({ authorized }) => authorized,
        () => false,
      ),
    );
    const { session, isReused } = await visit(root);
    expect([isReused, session?.length]).toEqual([false, expect.any(Number)]);
    await platform.startBalancer('balancer-1');
    await platform.stopBalancer('balancer-0');
    expect(await visit(root, session)).toMatchObject({ authorized: true, isReused: true });
  });
});
