import { generateKeyPairSync, type webcrypto } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import * as x509 from '@peculiar/x509';
import { coversHost, examinePair, type CertificatePair } from './certificate-pair.ts';

const NOW = Date.UTC(2030, 0, 15);
const DAY = 24 * 3_600_000;
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

interface Issued {
  readonly pem: string;
  readonly keyPem: string;
  readonly name: string;
  readonly keys: webcrypto.CryptoKeyPair;
}

async function issue(
  name: string,
  options: { signer?: Issued; hosts?: string[]; fromMs?: number; untilMs?: number } = {},
): Promise<Issued> {
  const { signer, hosts = [], fromMs = NOW - DAY, untilMs = NOW + DAY } = options;
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.create({
    ...(name === '' ? {} : { subject: `CN=${name}` }),
    issuer: `CN=${signer?.name ?? name}`,
    notBefore: new Date(fromMs),
    notAfter: new Date(untilMs),
    signingKey: (signer?.keys ?? keys).privateKey,
    publicKey: keys.publicKey,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(hosts.length === 0),
      ...(hosts.length === 0
        ? []
        : [
            new x509.SubjectAlternativeNameExtension(
              hosts.map((value) => ({ type: 'dns' as const, value })),
            ),
          ]),
    ],
  });
  const der = Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey));
  const keyPem = x509.PemConverter.encode(der, 'PRIVATE KEY');
  return { pem: `${certificate.toString('pem')}\n`, keyPem, name, keys };
}

let root: Issued;
let middle: Issued;
let site: Issued;
let pair: CertificatePair;

beforeAll(async () => {
  root = await issue('Root');
  middle = await issue('Middle', { signer: root });
  site = await issue('shop.example', { signer: middle, hosts: ['shop.example', '*.cdn.example'] });
  pair = { chainPem: site.pem + middle.pem, privateKeyPem: site.keyPem };
});

const examine = (given: CertificatePair, hosts = ['shop.example'], nowMs = NOW) =>
  examinePair(given, { hosts, nowMs });
const problem = (verdict: ReturnType<typeof examine>): string =>
  'problem' in verdict ? verdict.problem : 'none';

describe('an uploaded pair', () => {
  it('that is sound is described', () => {
    expect(examine(pair)).toEqual({
      facts: {
        names: ['shop.example', '*.cdn.example'],
        issuer: 'CN=Middle',
        fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
        notBeforeMs: NOW - DAY,
        notAfterMs: NOW + DAY,
      },
    });
  });

  it('may come without a chain, with the root, and with text around', () => {
    expect(problem(examine({ ...pair, chainPem: site.pem }))).toBe('none');
    const whole = `subject=x\n${site.pem}\n# signed by\n${middle.pem}${root.pem}`;
    expect(problem(examine({ ...pair, chainPem: whole }))).toBe('none');
  });

  it('may have a certificate without a subject', async () => {
    const bare = await issue('', { signer: middle, hosts: ['shop.example'] });
    const given = { chainPem: bare.pem + middle.pem, privateKeyPem: bare.keyPem };
    expect(problem(examine(given))).toBe('none');
    expect(problem(examine({ ...given, chainPem: bare.pem + root.pem }))).toContain('out of order');
  });

  it.each([
    ['is empty', () => ({ ...pair, chainPem: '' }), 'no certificate'],
    [
      'is damaged',
      () => ({ ...pair, chainPem: pair.chainPem.replace(/MII../, 'AAAAA') }),
      'damaged',
    ],
    ['has another key', () => ({ ...pair, privateKeyPem: middle.keyPem }), 'does not belong'],
    ['has no key', () => ({ ...pair, privateKeyPem: pair.chainPem }), 'cannot be read'],
    [
      'has a chain in the wrong order',
      () => ({ ...pair, chainPem: site.pem + root.pem + middle.pem }),
      'out of order',
    ],
    ['begins with the signer', () => ({ ...pair, chainPem: middle.pem + site.pem }), 'not belong'],
    ['is too large', () => ({ ...pair, chainPem: pair.chainPem + ' '.repeat(1e5) }), '64 KiB'],
    ['has too many', () => ({ ...pair, chainPem: middle.pem.repeat(11) }), '11 certificates'],
  ])('that %s is refused', (_name, given, text) => {
    const verdict = examine(given());
    expect(problem(verdict)).toContain(text);
    expect(verdict).toHaveProperty('hint');
  });

  it('with an encrypted key is refused', () => {
    const { privateKey } = generateKeyPairSync('ec', {
      namedCurve: 'P-256',
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' },
    });
    expect(problem(examine({ ...pair, privateKeyPem: privateKey }))).toContain('encrypted');
  });

  it('that has expired, or is not valid yet, is refused with the day', () => {
    expect(problem(examine(pair, ['shop.example'], NOW + 2 * DAY))).toBe(
      'the certificate expired on 2030-01-16',
    );
    expect(problem(examine(pair, ['shop.example'], NOW - 2 * DAY))).toContain('2030-01-14');
  });

  it('for other names is refused, naming both', () => {
    expect(problem(examine(pair, ['shop.example', 'other.example']))).toBe(
      'the certificate is for shop.example, *.cdn.example, not for other.example',
    );
    expect(problem(examine({ chainPem: root.pem, privateKeyPem: root.keyPem }))).toContain(
      'for no host name',
    );
  });

  it('never shows its key', () => {
    const secret = 'MIGHsecretsecret';
    const verdict = examine({
      ...pair,
      privateKeyPem: `-----BEGIN PRIVATE KEY-----\n${secret}\n-----END PRIVATE KEY-----`,
    });
    expect(JSON.stringify(verdict)).not.toContain(secret);
  });
});

describe('names of a certificate', () => {
  it.each([
    ['a.example', true],
    ['b.example', false],
    ['x.w.example', true],
    ['*.w.example', true],
    ['w.example', false],
    ['x.y.w.example', false],
  ])('cover %s: %s', (host, covered) => {
    expect(coversHost(['a.example', '*.w.example'], host)).toBe(covered);
  });
});
