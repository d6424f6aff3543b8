// TLS towards clients: what is spoken, which certificate is shown, what a bad handshake costs.
import { once } from 'node:events';
import { connect as connectPlain, type Socket } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ServedCertificate } from '../../packages/platform/src/balancer/tls/certificate-shelf.ts';
import { TestBalancer, type TestBalancerOptions } from '../support/balancer-server.ts';
import { resourcesNow, returnTo } from '../support/resources.ts';
import { ScriptedApp } from '../support/scripted-app.ts';
import {
  askSecurely,
  beginSession,
  fingerprintShown,
  makeCertificate,
  shakeHands,
  shownTo,
} from '../support/tls-client.ts';

let one: ServedCertificate;
let renewed: ServedCertificate;
let wild: ServedCertificate;
let fallback: ServedCertificate;
let balancer: TestBalancer;
let app: ScriptedApp;
const others: TestBalancer[] = [];

beforeAll(async () => {
  [one, renewed, wild, fallback] = await Promise.all([
    makeCertificate(['a.test']),
    makeCertificate(['a.test']),
    makeCertificate(['*.b.test', 'b.test']),
    makeCertificate(['fallback.test'], { isFallback: true }),
  ]);
});

beforeEach(async () => {
  app = await ScriptedApp.start();
  balancer = await start();
});

afterEach(async () => {
  await Promise.all([balancer, ...others.splice(0)].map((each) => each.close()));
  await app.close();
});

async function start(options: TestBalancerOptions = {}): Promise<TestBalancer> {
  const started = new TestBalancer(options);
  started.shelf.set([one, wild]);
  await started.listenTls();
  started.to([app.upstream]);
  return started;
}

async function startAnother(options: TestBalancerOptions = {}): Promise<TestBalancer> {
  const another = await start(options);
  others.push(another);
  return another;
}

const closed = (socket: Socket): Promise<void> =>
  new Promise((resolve) => socket.once('close', () => resolve()));

/** Tickets of a session begun at `from` are good at `at`. */
async function resumes(from: TestBalancer, at: TestBalancer, version: 'TLSv1.2' | 'TLSv1.3') {
  const options = { minVersion: version, maxVersion: version };
  const session = await beginSession(from.tlsPort, options);
  const socket = await shakeHands(at.tlsPort, { ...options, session });
  const isReused = socket.isSessionReused();
  socket.destroy();
  return isReused;
}

describe('what is spoken', () => {
  it.each(['TLSv1.2', 'TLSv1.3'] as const)('is %s', async (version) => {
    const socket = await shakeHands(balancer.tlsPort, { minVersion: version, maxVersion: version });
    expect(socket.getProtocol()).toBe(version);
    socket.destroy();
  });

  it.each(['TLSv1', 'TLSv1.1'] as const)('is not %s', async (version) => {
    const options: ConnectionOptions = {
      ...{ minVersion: version, maxVersion: version, ciphers: 'DEFAULT@SECLEVEL=0' },
    };
    await expect(shakeHands(balancer.tlsPort, options)).rejects.toThrow(/protocol.version/);
  });

  it.each([
    ['ECDHE-ECDSA-AES128-GCM-SHA256', true],
    ['ECDHE-ECDSA-AES256-GCM-SHA384', true],
    ['ECDHE-ECDSA-CHACHA20-POLY1305', true],
    ['ECDHE-ECDSA-AES128-SHA256', false],
    ['ECDHE-ECDSA-AES128-SHA', false],
    ['AES128-GCM-SHA256', false],
    ['DHE-RSA-AES128-GCM-SHA256', false],
    ['ECDHE-ECDSA-NULL-SHA:@SECLEVEL=0', false],
  ])('with %s in TLS 1.2: %s', async (ciphers, isSpoken) => {
    const hands = shakeHands(balancer.tlsPort, { ciphers, maxVersion: 'TLSv1.2' });
    if (isSpoken) (await hands).destroy();
    else await expect(hands).rejects.toThrow(/handshake.failure|no ciphers/i);
  });

  it('is what the server prefers', async () => {
    const socket = await shakeHands(balancer.tlsPort, {
      ciphers: 'TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256',
    });
    expect(socket.getCipher().standardName).toBe('TLS_AES_128_GCM_SHA256');
    socket.destroy();
  });

  it.each([
    [['h2', 'http/1.1'], 'h2'],
    [['http/1.1', 'h2'], 'h2'],
    [['http/1.1'], 'http/1.1'],
    [['spdy/3', 'http/1.1'], 'http/1.1'],
    [undefined, false],
  ])('of the protocols %j: %s', async (protocols, chosen) => {
    const options = protocols === undefined ? {} : { ALPNProtocols: protocols };
    const socket = await shakeHands(balancer.tlsPort, options);
    expect(socket.alpnProtocol).toBe(chosen);
    socket.destroy();
  });

  it('is nothing with who speaks only other protocols', async () => {
    const hands = shakeHands(balancer.tlsPort, { ALPNProtocols: ['imap'] });
    await expect(hands).rejects.toThrow(/no application protocol/);
  });

  it('is not negotiated anew', async () => {
    const socket = await shakeHands(balancer.tlsPort, { maxVersion: 'TLSv1.2' });
    const error = await new Promise<unknown>((resolve) => {
      socket.renegotiate({}, (told) => resolve(told));
      socket.once('error', resolve).once('close', () => resolve(new Error('closed')));
    });
    expect(error).toBeInstanceOf(Error);
  });

  it('tells the app that it was https', async () => {
    await askSecurely(balancer.tlsPort);
    const told = Object.fromEntries(app.request.headers);
    expect(told).toMatchObject({ 'x-forwarded-proto': 'https', 'x-forwarded-port': '443' });
  });
});

describe('the certificate', () => {
  it.each([
    ['a.test', 'a.test'],
    ['A.TEST', 'a.test'],
    ['b.test', '*.b.test, b.test'],
    ['x.b.test', '*.b.test, b.test'],
  ])('for %s is that of %s', async (servername, names) => {
    expect(await shownTo(balancer.tlsPort, { servername })).toBe(names);
  });

  it.each(['c.test', 'x.a.test', 'x.y.b.test'])('for %s is none: an alert', async (servername) => {
    const hands = shakeHands(balancer.tlsPort, { servername });
    await expect(hands).rejects.toThrow(/unrecognized name/);
  });

  it('for no name is none', async () => {
    const hands = shakeHands(balancer.tlsPort, { servername: '' });
    await expect(hands).rejects.toThrow(/handshake.failure/);
  });

  it.each(['c.test', ''])('for %j is the fallback while there is one', async (servername) => {
    balancer.shelf.put(fallback);
    expect(await shownTo(balancer.tlsPort, { servername })).toBe('fallback.test');
    expect(await shownTo(balancer.tlsPort)).toBe('a.test');
    balancer.shelf.remove(fallback.hosts);
    await expect(shakeHands(balancer.tlsPort, { servername })).rejects.toThrow();
  });

  it('is the new one from the moment it is put', async () => {
    const before = await fingerprintShown(balancer.tlsPort, 'a.test');
    balancer.shelf.put(renewed);
    const after = await fingerprintShown(balancer.tlsPort, 'a.test');
    expect(after).not.toBe(before);
    balancer.shelf.set([one]);
    expect(await fingerprintShown(balancer.tlsPort, 'a.test')).toBe(before);
  });

  it('is swapped while requests run, and none of them fails', async () => {
    const kept = await shakeHands(balancer.tlsPort);
    let isOver = false;
    const asking = Array.from({ length: 4 }, async () => {
      let count = 0;
      while (!isOver) {
        expect((await askSecurely(balancer.tlsPort)).status).toBe(200);
        count += 1;
      }
      return count;
    });
    for (let round = 0; round < 40; round += 1) {
      const next = round % 2 === 0 ? renewed : one;
      if (round % 3 === 0) balancer.shelf.set([next, wild, fallback]);
      else balancer.shelf.put(next);
      await sleep(10);
    }
    isOver = true;
    const counts = await Promise.all(asking);
    expect(Math.min(...counts)).toBeGreaterThan(0);
    kept.write('GET / HTTP/1.1\r\nHost: a.test\r\n\r\n');
    expect(String((await once(kept, 'data'))[0])).toContain('200 OK');
    kept.destroy();
  });

  it.each([
    ['a key that is another’s', () => ({ ...renewed, keyPem: wild.keyPem }), 'does not belong'],
    ['no certificate', () => ({ ...renewed, certificatePem: 'none' }), 'left out'],
    ['no key', () => ({ ...renewed, keyPem: '' }), 'left out'],
  ])('with %s is left out, and the one before stays', async (_, make, told) => {
    const before = await fingerprintShown(balancer.tlsPort, 'a.test');
    balancer.shelf.put(make());
    expect(await fingerprintShown(balancer.tlsPort, 'a.test')).toBe(before);
    expect(balancer.logged.join()).toContain('the certificate for a.test is left out');
    expect(balancer.logged.join()).toContain(told);
    expect(balancer.logged.join()).not.toContain('PRIVATE');
    balancer.shelf.set([make(), wild]);
    expect(await shownTo(balancer.tlsPort, { servername: 'b.test' })).toContain('b.test');
  });

  it('of a large set is looked through when it is asked for', async () => {
    const many = Array.from({ length: 300 }, (_, index) => ({ ...one, hosts: [`h${index}.test`] }));
    const bad = { ...one, hosts: ['bad.test'], keyPem: wild.keyPem, isFallback: true };
    balancer.shelf.set([...many, bad]);
    expect(await shownTo(balancer.tlsPort, { servername: 'h7.test' })).toBe('a.test');
    await expect(shakeHands(balancer.tlsPort, { servername: 'bad.test' })).rejects.toThrow();
    expect(balancer.logged.join()).toContain('the certificate for bad.test is left out');
    expect(balancer.shelf.readyCount).toBeLessThan(5);
  });
});

describe('a session', () => {
  it.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'of %s goes on at another with its ticket keys',
    async (version) => {
      const other = await startAnother();
      expect(await resumes(balancer, other, version)).toBe(false);
      for (const each of [balancer, other]) each.shelf.setTicketKeys(Buffer.alloc(48, 7));
      expect(await resumes(balancer, other, version)).toBe(true);
      other.shelf.setTicketKeys(Buffer.alloc(48, 8));
      expect(await resumes(balancer, other, version)).toBe(false);
    },
  );

  it('survives new certificates and a new fallback', async () => {
    const session = await beginSession(balancer.tlsPort, {});
    balancer.shelf.set([renewed, wild, fallback]);
    const socket = await shakeHands(balancer.tlsPort, { session });
    expect(socket.isSessionReused()).toBe(true);
    socket.destroy();
  });

  it('uses the keys that were there before it listened', async () => {
    const early = new TestBalancer();
    others.push(early);
    early.shelf.set([one]);
    early.shelf.setTicketKeys(Buffer.alloc(48, 9));
    await early.listenTls();
    balancer.shelf.setTicketKeys(Buffer.alloc(48, 9));
    expect(await resumes(balancer, early, 'TLSv1.3')).toBe(true);
  });
});

describe('a challenge of an authority', () => {
  const ask: ConnectionOptions = { ALPNProtocols: ['acme-tls/1'] };
  let challenge: ServedCertificate;
  beforeAll(async () => {
    challenge = await makeCertificate(['challenge.test']);
  });

  it.each([
    ['a.test', 'TLSv1.3'],
    ['a.test', 'TLSv1.2'],
    ['new.test', 'TLSv1.3'],
    ['new.test', 'TLSv1.2'],
  ] as const)('for %s over %s is answered, then the connection ends', async (host, version) => {
    balancer.shelf.setChallenge(host, challenge);
    const options = { ...ask, servername: host, minVersion: version, maxVersion: version };
    const socket = await shakeHands(balancer.tlsPort, options);
    expect(socket.alpnProtocol).toBe('acme-tls/1');
    expect(socket.getPeerCertificate().subjectaltname).toBe('DNS:challenge.test');
    socket.resume();
    await once(socket, 'close');
  });

  it('shows others what they are always shown', async () => {
    balancer.shelf.setChallenge('a.test', challenge);
    expect(await shownTo(balancer.tlsPort)).toBe('a.test');
    expect(await shownTo(balancer.tlsPort, { ALPNProtocols: ['h2'] })).toBe('a.test');
  });

  it('that is over, or of another host, is none', async () => {
    balancer.shelf.setChallenge('a.test', challenge);
    const other = shakeHands(balancer.tlsPort, { ...ask, servername: 'b.test' });
    await expect(other).rejects.toThrow(/no application protocol/);
    balancer.shelf.clearChallenge('a.test');
    await expect(shakeHands(balancer.tlsPort, ask)).rejects.toThrow(/no application protocol/);
  });

  it('of no use is told', () => {
    balancer.shelf.setChallenge('a.test', { ...challenge, keyPem: one.keyPem });
    expect(balancer.logged.join()).toContain('the challenge for a.test is of no use');
  });
});

describe('a handshake that comes to nothing', () => {
  it.each([
    ['plain HTTP', 'GET / HTTP/1.1\r\nHost: a.test\r\n\r\n'],
    ['noise', '\x00\xff\x13\x37'.repeat(500)],
    ['a record longer than any', '\x16\x03\x01\xff\xff' + 'x'.repeat(70_000)],
    ['an empty record', '\x16\x03\x01\x00\x00'],
    ['an alert', '\x15\x03\x01\x00\x02\x02\x28'],
    ['SSL 2', '\x80\x2e\x01\x00\x02' + '\x00'.repeat(50)],
  ])('(%s) ends that connection alone, unheard', async (_, bytes) => {
    const socket = connectPlain(balancer.tlsPort, '127.0.0.1');
    socket.on('error', () => undefined).resume();
    socket.write(bytes, 'latin1');
    await closed(socket);
    expect((await askSecurely(balancer.tlsPort)).status).toBe(200);
    expect(balancer.logged).toEqual([]);
  });

  it('because it takes too long is cut', async () => {
    const hasty = await startAnother({ limits: { handshakeTimeoutMs: 200 } });
    const sockets = Array.from({ length: 20 }, (_, index) => {
      const socket = connectPlain(hasty.tlsPort, '127.0.0.1');
      socket.on('error', () => undefined).resume();
      socket.write('\x16\x03\x01\x02\x00\x01'.slice(0, index % 6), 'latin1');
      return socket;
    });
    await Promise.all(sockets.map(closed));
    expect(hasty.logged).toEqual([]);
    expect((await askSecurely(hasty.tlsPort)).status).toBe(200);
  });

  it('leaves nothing behind, however often it happens', async () => {
    await askSecurely(balancer.tlsPort);
    const before = resourcesNow();
    for (let round = 0; round < 10; round += 1)
      await Promise.all(
        Array.from({ length: 20 }, async (_, index) => {
          const servername = index % 2 === 0 ? 'unknown.test' : 'a.test';
          const options = { servername, ALPNProtocols: [index % 3 === 0 ? 'imap' : 'http/1.1'] };
          await shakeHands(balancer.tlsPort, options).then(
            (socket) => socket.destroy(),
            () => undefined,
          );
        }),
      );
    await returnTo(before);
    expect(balancer.connectionCount).toBe(0);
    expect(balancer.logged).toEqual([]);
  });

  it('holds up a close no longer than its bound', async () => {
    const socket = connectPlain(balancer.tlsPort, '127.0.0.1');
    await once(socket, 'connect');
    socket.on('error', () => undefined).resume();
    const cut = closed(socket);
    await Promise.all([balancer.close({ idleMs: 0, tunnelMs: 0, requestMs: 100 }), cut]);
  });
});
