// `tandem balancer --listen-tls` as people run it: certificates from files that change under it.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ServedCertificate } from '../../packages/platform/src/balancer/tls/certificate-shelf.ts';
import { type StandaloneBalancer, useStandalone } from '../support/standalone-balancer.ts';
import {
  askSecurely,
  beginSession,
  fingerprintShown,
  makeCertificate,
  shakeHands,
  shownTo,
} from '../support/tls-client.ts';

const standalone = useStandalone();
let balancer: StandaloneBalancer;
let one: ServedCertificate;
let other: ServedCertificate;

beforeAll(async () => {
  [one, other] = await Promise.all([makeCertificate(['a.test']), makeCertificate(['b.test'])]);
});

beforeEach(async () => {
  balancer = standalone.balancer;
  await balancer.writeRoutes({ host: 'a.test', upstreams: [await standalone.backend('a')] });
});

const fileOf = (name: string): string => join(balancer.directory, name);

async function write(name: string, certificate: ServedCertificate, key = certificate.keyPem) {
  await writeFile(fileOf(`${name}.pem`), certificate.certificatePem);
  await writeFile(fileOf(`${name}.key`), key);
}

const pairOf = (name: string): string[] => [
  ...['--certificate', fileOf(`${name}.pem`), '--key', fileOf(`${name}.key`)],
];

async function start(...args: readonly string[]): Promise<number> {
  await balancer.start('--listen-tls', '127.0.0.1:0', ...args);
  return Number(/listening on .*:(\d+) \(TLS\)/.exec(balancer.stderr)?.[1]);
}

describe('the balancer alone, with TLS', () => {
  it('shows each host its certificate, and the first to all others', async () => {
    await write('one', one);
    await write('other', other);
    const port = await start(...pairOf('one'), ...pairOf('other'));
    expect(await askSecurely(port)).toEqual({ status: 200, body: 'a' });
    expect(await shownTo(port, { servername: 'b.test' })).toBe('b.test');
    for (const servername of ['c.test', ''])
      expect(await shownTo(port, { servername })).toBe('a.test');
  });

  it('signs for localhost itself when it is given no certificate', async () => {
    const port = await start();
    for (const servername of ['shop.localhost', 'localhost'])
      expect(await shownTo(port, { servername })).toBe('localhost, *.localhost');
  });

  it('takes up sessions at every worker, also at new ones', async () => {
    await write('one', one);
    const port = await start(...pairOf('one'), '--workers', '2');
    const session = await beginSession(port, {});
    balancer.signal('SIGUSR2');
    await balancer.says('workers replaced: 2');
    for (let count = 0; count < 8; count += 1) {
      const socket = await shakeHands(port, { session });
      expect(socket.isSessionReused()).toBe(true);
      socket.destroy();
    }
  });

  it('reads its files again at HUP; what is wrong changes nothing', async () => {
    await write('one', one);
    const port = await start(...pairOf('one'));
    const before = await fingerprintShown(port, 'a.test');
    await write('one', one, other.keyPem);
    balancer.signal('SIGHUP');
    await balancer.says('the key does not belong to the certificate');
    await balancer.says('the certificates stay as they were');
    expect(await fingerprintShown(port, 'a.test')).toBe(before);
    await write('one', await makeCertificate(['a.test']));
    balancer.signal('SIGHUP');
    await balancer.says('certificates: 1 read');
    await expect.poll(() => fingerprintShown(port, 'a.test')).not.toBe(before);
  });

  it('serves one that has expired, and warns', async () => {
    await write('old', await makeCertificate(['a.test'], { ageMs: 3 * 24 * 3_600_000 }));
    const port = await start(...pairOf('old'));
    expect(await shownTo(port)).toBe('a.test');
    expect(balancer.stderr).toContain('old.pem: expired on');
  });

  it.each([
    ['a key that is another’s', () => write('bad', one, other.keyPem), 'does not belong'],
    ['no key', () => write('bad', one, ''), 'the key cannot be read'],
    ['no certificate', () => write('bad', { ...one, certificatePem: 'x' }), 'no certificate in it'],
    ['no file', () => Promise.resolve(), 'there is no such file'],
  ])('does not start with %s', async (_, make, told) => {
    await make();
    const where = ['--listen-tls', '127.0.0.1:0'];
    const { code, stderr } = await balancer.run(...where, ...pairOf('bad'));
    expect(code).toBe(1);
    expect(stderr).toContain(told);
    expect(stderr).not.toContain(one.keyPem.split('\n')[1]);
  });
});
