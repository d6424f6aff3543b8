// Certificates as they are kept: ordered, renewed, failing, taken over; with a real store and, where
// it matters, a real certificate authority.
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer as createTlsServer, connect } from 'node:tls';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { TandemError } from '@tandem/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createAcmeProcesses } from '../../packages/platform/src/adapters/acme/order-process.ts';
import { openSqliteStore } from '../../packages/platform/src/adapters/sqlite-store/sqlite-store.ts';
import { openCertificates } from '../../packages/platform/src/daemons/agent/certificates.ts';
import { systemClock } from '../../packages/platform/src/lib/system-clock.ts';
import { makeKey } from '../../packages/platform/src/nexus/certificates/certificate-documents.ts';
import { Repository } from '../../packages/platform/src/nexus/documents/repository.ts';
import { validateDocument } from '../../packages/platform/src/nexus/documents/schemas.ts';
import { openClusterKeys } from '../../packages/platform/src/nexus/secrets/secret-box.ts';
import { RateLimited } from '../../packages/platform/src/ports/certificate-authority.ts';
import { AcmeServer } from '../support/acme-server.ts';
import {
  servedBy,
  until,
  useCertificates,
  viewOf,
  type KeeperSettings,
} from '../support/certificate-fixture.ts';

const HOUR_MS = 3_600_000;
const SOON = { retryDelayMsFirst: 20, retryDelayMsMax: 100, retryDnsDelayMsMax: 50 };

const parts = useCertificates();
let { dns, responder, fixture, authority } = parts;
beforeEach(() => {
  ({ dns, responder, fixture, authority } = parts);
});
const start = (settings: KeeperSettings = {}) => parts.start(settings);

/** A TLS client that trusts only `ca`. */
async function handshake(pair: { chainPem: string; privateKeyPem: string }, ca: string) {
  const server = createTlsServer({ cert: pair.chainPem, key: pair.privateKeyPem }, (socket) =>
    socket.end(),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const client = connect({ port, host: '127.0.0.1', servername: 'shop.example', ca });
  const { authorized } = await once(client, 'secureConnect').then(() => client);
  client.destroy();
  server.close();
  return authorized;
}

describe('with a real authority', () => {
  let acme: AcmeServer | undefined;
  afterEach(async () => {
    await acme?.stop();
    acme = undefined;
    expect(responder.isTidy).toBe(true);
  });

  async function access(validityS?: number) {
    const { httpPort, tlsPort } = responder;
    const validity = validityS === undefined ? {} : { validityS };
    acme = await AcmeServer.start({ dns, httpPort, tlsPort, ...validity });
    const { directoryUrl, caPem } = acme;
    return {
      authority: createAcmeProcesses({ directoryUrl, extraCaPem: caPem }),
      solver: responder,
    };
  }

  it('a host is encrypted at once and trusted soon', async () => {
    const running = await start({ access: await access() });
    await running.keeper.ensure('shop.example');
    const view = await until(async () => {
      const now = await viewOf(running, 'shop.example');
      return now?.state === 'valid' ? now : undefined;
    });
    expect(view).toMatchObject({ source: 'acme', validUntilMs: expect.any(Number) as number });
    const told = running.changes.flatMap((change) =>
      change.kind === 'set' && change.certificate.host === 'shop.example'
        ? [change.certificate.source]
        : [],
    );
    expect(told).toEqual(['self-signed', 'acme']);
    const served = await until(() => servedBy(running, 'shop.example'));
    expect(await handshake(served, (await acme?.rootPem()) ?? '')).toBe(true);
  });

  it('is renewed again and again, and never served too late', async () => {
    const running = await start({ access: await access(12) });
    await running.keeper.ensure('shop.example');
    const seen = new Map<string, number>();
    await until(async () => {
      const view = await viewOf(running, 'shop.example');
      const served = servedBy(running, 'shop.example');
      if (served?.source !== 'acme') return false;
      expect(view?.validUntilMs).toBeGreaterThan(Date.now());
      seen.set(served.fingerprint, Date.now());
      return seen.size === 3;
    }, 60_000);
    const [first = 0, second = 0] = [...seen.values()];
    expect(second - first).toBeGreaterThan(2_000);
  });

  it('goes away: the old certificate stays, and the next one comes when it is back', async () => {
    const running = await start({ access: await access(24), limits: SOON });
    await running.keeper.ensure('shop.example');
    const old = await until(() => {
      const served = servedBy(running, 'shop.example');
      return served?.source === 'acme' ? served : undefined;
    });
    const place = acme?.place;
    await acme?.stop();
    const failing = await until(async () => {
      const view = await viewOf(running, 'shop.example');
      return view?.state === 'failing' ? view : undefined;
    }, 60_000);
    expect(failing).toMatchObject({
      source: 'acme',
      error: { code: 'CERTIFICATE_AUTHORITY_UNREACHABLE' },
      failingSinceMs: expect.any(Number) as number,
      nextAttemptMs: expect.any(Number) as number,
    });
    expect(failing.validUntilMs).toBeGreaterThan(Date.now());
    expect(servedBy(running, 'shop.example')?.fingerprint).toBe(old.fingerprint);
    const { httpPort, tlsPort } = responder;
    acme = await AcmeServer.start({ dns, httpPort, tlsPort, ...(place && { at: place }) });
    await until(() => servedBy(running, 'shop.example')?.fingerprint !== old.fingerprint, 60_000);
    expect(await viewOf(running, 'shop.example')).toMatchObject({ state: 'valid' });
    expect(await viewOf(running, 'shop.example')).not.toHaveProperty('error');
  });
});

describe('as the agent puts it together', () => {
  it('a wildcard comes by way of the operator’s command, and the authority of the settings', async () => {
    const { httpPort, tlsPort } = responder;
    const acme = await AcmeServer.start({ dns, httpPort, tlsPort });
    const inside = (name: string): string => join(fixture.directory, name);
    dns.txtFile = inside('records');
    await writeFile(inside('ca.pem'), acme.caPem);
    await writeFile(
      inside('hook.sh'),
      `case $2 in present) echo "$3 $4" >> $1 ;; cleanup) sed -i "/ $4$/d" $1 ;; esac\n`,
    );
    const store = await openSqliteStore({
      path: inside('agent.sqlite'),
      validate: validateDocument,
      clock: systemClock,
    });
    const keeper = await openCertificates(
      {
        installation: { suffix: 'localhost', nodeName: 'n1' },
        repository: new Repository(store),
        secrets: await openClusterKeys(inside('keys')),
        clock: systemClock,
        report: (text) => fixture.reports.push(text),
      },
      {
        directoryUrl: acme.directoryUrl,
        extraCaFile: inside('ca.pem'),
        dnsHook: ['/bin/sh', inside('hook.sh'), inside('records')],
      },
    );
    const stop = new AbortController();
    const ended = keeper.run(stop.signal);
    await keeper.ensure('*.shop.example');
    await until(async () => {
      const view = (await keeper.domains()).find(({ host }) => host === '*.shop.example');
      return view?.state === 'valid';
    });
    expect(dns.values('_acme-challenge.shop.example', 'TXT')).toEqual([]);
    stop.abort();
    await ended;
    await store.close();
    await acme.stop();
  });
});

describe('without an authority', () => {
  it('everything is signed by ourselves', async () => {
    const running = await fixture.start();
    await running.keeper.ensure('shop.example');
    expect(await viewOf(running, 'shop.example')).toMatchObject({
      state: 'none',
      source: 'self-signed',
    });
    const served = await until(() => servedBy(running, 'shop.example'));
    expect(served).toMatchObject({ names: ['shop.example'], isFallback: false });
    expect(await handshake(served, served.chainPem)).toBe(true);
  });

  it('names of the machine share one, which also answers for names nobody has', async () => {
    const running = await start();
    const fallback = await until(() => servedBy(running, '*.localhost'));
    expect(fallback).toMatchObject({
      names: ['localhost', '*.localhost'],
      source: 'self-signed',
      isFallback: true,
    });
    expect(authority.orders).toEqual([]);
  });

  it('what we signed is renewed, too', async () => {
    const running = await fixture.start({ limits: { selfSignedMs: 3_000 } });
    const first = await until(() => servedBy(running, '*.localhost'));
    await until(() => servedBy(running, '*.localhost')?.fingerprint !== first.fingerprint);
  });
});

describe('a name that does not lead here', () => {
  it.each([
    ['nowhere', (): void => undefined, 'has no address in the DNS'],
    ['elsewhere', (): void => dns.add('new.example', 'A', '198.51.100.7'), 'to 198.51.100.7'],
    ['to no answer', (): void => void (dns.isBroken = true), 'ESERVFAIL'],
  ])('but %s is not ordered until it does', async (_where, arrange, text) => {
    arrange();
    const running = await start({ limits: SOON });
    await running.keeper.ensure('new.example');
    const failing = await until(async () => {
      const view = await viewOf(running, 'new.example');
      return view?.state === 'failing' ? view : undefined;
    });
    expect(failing.error).toMatchObject({ code: 'DOMAIN_ELSEWHERE' });
    expect(failing.error?.message).toContain(text);
    expect(authority.orders).toEqual([]);
    dns.isBroken = false;
    dns.delete('new.example', 'A', '198.51.100.7');
    dns.add('new.example', 'A', '127.0.0.1');
    await until(async () => (await viewOf(running, 'new.example'))?.state === 'valid');
    expect(authority.orders).toHaveLength(1);
  });
});

describe('an order that fails', () => {
  it('is repeated later each time, up to a bound', async () => {
    const times: number[] = [];
    authority.before = async () => {
      times.push(Date.now());
      throw new TandemError('CERTIFICATE_REFUSED', 'not today');
    };
    const limits = { retryDelayMsFirst: 50, retryDelayMsMax: 400 };
    const running = await start({ limits });
    await running.keeper.ensure('shop.example');
    await until(() => times.length >= 5);
    const gaps = times.slice(1).map((time, index) => time - (times[index] ?? 0));
    for (const [index, wantedMs] of [50, 200, 400, 400].entries()) {
      expect(gaps[index]).toBeGreaterThanOrEqual(wantedMs - 2);
      expect(gaps[index]).toBeLessThan(wantedMs + 400);
    }
    const view = await viewOf(running, 'shop.example');
    expect(view?.error?.message).toBe('not today');
    expect(fixture.reports.at(-1)).toContain('no certificate for shop.example: not today');
  });

  it('waits as long as the authority wants, also when somebody asks again', async () => {
    authority.before = async () => {
      throw new RateLimited('enough', 2 * HOUR_MS);
    };
    const running = await start({ limits: SOON });
    await running.keeper.ensure('shop.example');
    const failing = await until(async () => {
      const view = await viewOf(running, 'shop.example');
      return view?.state === 'failing' ? view : undefined;
    });
    expect(failing.nextAttemptMs).toBeGreaterThan(Date.now() + 1.9 * HOUR_MS);
    await running.keeper.ensure('shop.example');
    await sleep(200);
    expect(authority.orders).toHaveLength(1);
  });

  it('is repeated at once when somebody asks', async () => {
    authority.before = async () => {
      throw new TandemError('DOMAIN_VALIDATION_FAILED', 'port 80 is closed');
    };
    const running = await start();
    await running.keeper.ensure('shop.example');
    await until(async () => (await viewOf(running, 'shop.example'))?.state === 'failing');
    authority.before = async () => undefined;
    await running.keeper.ensure('shop.example');
    await until(async () => (await viewOf(running, 'shop.example'))?.state === 'valid');
  });

  it.each([
    ['for another name', async () => authority.issue({ privateKeyPem, names: ['other.example'] })],
    [
      'for another key',
      async () => authority.issue({ privateKeyPem: makeKey(), names: ['shop.example'] }),
    ],
    ['that is none', async () => 'hello'],
  ])('may be a certificate %s: it is not used', async (_name, answer) => {
    authority.order = async (order) => {
      privateKeyPem = order.privateKeyPem;
      return await answer();
    };
    const running = await start();
    await running.keeper.ensure('shop.example');
    const failing = await until(async () => {
      const view = await viewOf(running, 'shop.example');
      return view?.state === 'failing' ? view : undefined;
    });
    expect(failing).toMatchObject({
      source: 'self-signed',
      error: { code: 'CERTIFICATE_REFUSED' },
    });
  });
  let privateKeyPem = '';

  it('does not keep others waiting, and some run at a time', async () => {
    let most = 0;
    let under = 0;
    authority.before = async ({ names: [name] }) => {
      most = Math.max(most, (under += 1));
      await sleep(50);
      under -= 1;
      if (name.startsWith('bad')) throw new Error('broken');
    };
    const hosts = Array.from({ length: 12 }, (_, n) => `${n % 3 ? 'good' : 'bad'}-${n}.example`);
    for (const host of hosts) dns.add(host, 'A', '127.0.0.1');
    const running = await start({ limits: { ordersAtOnceMax: 3 } });
    await Promise.all(hosts.map((host) => running.keeper.ensure(host)));
    await until(async () => {
      const views = await running.keeper.domains();
      return views.filter(({ state }) => state === 'valid').length === 8;
    });
    expect(most).toBe(3);
  });
});
