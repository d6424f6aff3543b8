// Which certificates a worker keeps ready, and what it says of those it cannot use.
import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { selfSign } from '../../packages/platform/src/adapters/self-signed/self-signed.ts';
import {
  CertificateShelf,
  type ServedCertificate,
} from '../../packages/platform/src/balancer/tls/certificate-shelf.ts';

const NOW = Date.now();
const { chainPem: certificatePem, privateKeyPem: keyPem } = await selfSign({
  ...{ names: ['a.test'], notBeforeMs: NOW - 60_000, notAfterMs: NOW + 60_000 },
});

const served = (...hosts: string[]): ServedCertificate => ({ hosts, certificatePem, keyPem });

function shelfOf(...certificates: ServedCertificate[]): {
  readonly shelf: CertificateShelf;
  readonly logged: string[];
} {
  const logged: string[] = [];
  const shelf = new CertificateShelf({ log: (line) => logged.push(line), contextsMax: 3 });
  shelf.set(certificates);
  return { shelf, logged };
}

describe('a shelf of certificates', () => {
  it('keeps few of many ready, those that are asked for', () => {
    const names = Array.from({ length: 10 }, (_, index) => `h${index}.test`);
    const { shelf } = shelfOf(...names.map((name) => served(name)));
    expect(shelf.readyCount).toBe(0);
    const first = shelf.contextFor('h0.test');
    for (const name of names) {
      expect(shelf.contextFor(name)).toBeDefined();
      expect(shelf.contextFor('h0.test')).toBe(first);
    }
    expect(shelf.readyCount).toBe(3);
  });

  it('gives back a name to who had it before', () => {
    const { shelf } = shelfOf(served('a.test', 'b.test'));
    const before = shelf.contextFor('b.test');
    shelf.put(served('b.test'));
    expect(shelf.contextFor('b.test')).not.toBe(before);
    expect(shelf.showsSame('a.test', 'b.test')).toBe(false);
    shelf.remove(['b.test']);
    expect(shelf.contextFor('b.test')).toBe(before);
    expect(shelf.showsSame('a.test', 'b.test')).toBe(true);
  });

  it('tells listeners of a fallback once for each change', () => {
    const { shelf } = shelfOf(served('a.test'));
    const told: (string | undefined)[] = [];
    shelf.addListener({
      onTicketKeys: () => undefined,
      onFallback: (certificate) => told.push(certificate?.hosts[0]),
    });
    shelf.put({ ...served('f.test'), isFallback: true });
    shelf.put(served('b.test'));
    shelf.put({ ...served('g.test'), isFallback: true });
    shelf.remove(['g.test']);
    shelf.set([]);
    expect(told).toEqual(['f.test', 'g.test', 'f.test', undefined]);
  });

  it('never says what it read of a key', () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const foreign = String(privateKey.export({ type: 'pkcs8', format: 'pem' }));
    const { shelf, logged } = shelfOf({ ...served('a.test'), keyPem: foreign });
    shelf.put({ ...served('b.test'), keyPem: foreign.slice(0, 80) });
    expect(logged).toHaveLength(2);
    expect(logged.join('\n')).not.toContain(foreign.split('\n')[1]);
    expect(shelf.contextFor('a.test')).toBeUndefined();
  });
});
