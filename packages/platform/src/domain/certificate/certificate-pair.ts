// A certificate with its chain and its key, as they are kept and as people bring them. Reads what is
// in them and says what is wrong with them; makes nothing.
import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { LIMITS } from '../limits.ts';
import type { Validity } from './renewal.ts';

export interface CertificatePair {
  /** PEM: the certificate, then what signed it, up to but without the root. */
  readonly chainPem: string;
  /** PEM, PKCS #8. Never logged and never part of an answer. */
  readonly privateKeyPem: string;
}

export interface CertificateFacts extends Validity {
  /** DNS names it is for, as written in it. */
  readonly names: readonly string[];
  readonly issuer: string;
  /** SHA-256 of the certificate, in hex. */
  readonly fingerprint: string;
}

export type PairVerdict =
  | { readonly facts: CertificateFacts }
  /** The first thing wrong, for people, and what would mend it. */
  | { readonly problem: string; readonly hint: string };

const CERTIFICATE_PEM = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

class Flaw extends Error {
  readonly hint: string;

  constructor(problem: string, hint: string) {
    super(problem);
    this.hint = hint;
  }
}

/** What a chain says of itself; throws a bare error when it is not PEM. */
export function readCertificate(chainPem: string): CertificateFacts {
  const [leaf] = readChain(chainPem);
  return factsOf(leaf);
}

/** `hosts`: all of them must be covered. */
export function examinePair(
  pair: CertificatePair,
  { hosts, nowMs }: { readonly hosts: readonly string[]; readonly nowMs: number },
): PairVerdict {
  try {
    const [leaf, ...signers] = readChain(pair.chainPem);
    assertKey(leaf, readKey(pair.privateKeyPem));
    assertOrder(leaf, signers);
    const facts = factsOf(leaf);
    assertTime(facts, nowMs);
    assertNames(facts, hosts);
    return { facts };
  } catch (error) {
    if (error instanceof Flaw) return { problem: error.message, hint: error.hint };
    throw error;
  }
}

/** As clients match: exact, or a wildcard for the first label. A wildcard is covered by itself. */
export function coversHost(names: readonly string[], host: string): boolean {
  const above = host.startsWith('*.') ? host : `*${host.slice(host.indexOf('.'))}`;
  return names.some((name) => name === host || name === above);
}

function readChain(chainPem: string): [X509Certificate, ...X509Certificate[]] {
  const { pemBytesMax, chainLengthMax } = LIMITS.certificates;
  if (chainPem.length > pemBytesMax)
    throw new Flaw('the certificate is over 64 KiB', 'send the certificate and its chain alone');
  const blocks = chainPem.match(CERTIFICATE_PEM) ?? [];
  if (blocks.length > chainLengthMax)
    throw new Flaw(
      `the chain has ${blocks.length} certificates`,
      `${chainLengthMax} are allowed; leave those out that have nothing to do with the site`,
    );
  const [leaf, ...signers] = blocks.map(parseCertificate);
  if (leaf === undefined)
    throw new Flaw('there is no certificate in it', 'send PEM: -----BEGIN CERTIFICATE-----');
  return [leaf, ...signers];
}

function parseCertificate(pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch {
    throw new Flaw('a certificate in it is damaged', 'send the file as it was handed out');
  }
}

function readKey(privateKeyPem: string): KeyObject {
  const hint = 'send the unencrypted private key in PEM: -----BEGIN PRIVATE KEY-----';
  if (privateKeyPem.length > LIMITS.certificates.pemBytesMax)
    throw new Flaw('the key is over 64 KiB', hint);
  if (/ENCRYPTED/.test(privateKeyPem))
    throw new Flaw('the key is encrypted', `openssl pkey -in KEY -out PLAIN-KEY, then ${hint}`);
  try {
    return createPrivateKey(privateKeyPem);
  } catch {
    // The error of the parser could quote what it read; it is not passed on.
    throw new Flaw('the key cannot be read', hint);
  }
}

function assertKey(leaf: X509Certificate, key: KeyObject): void {
  if (leaf.checkPrivateKey(key)) return;
  throw new Flaw(
    'the key does not belong to the certificate',
    'send the key that the certificate was requested with; of a chain, the certificate of the site comes first',
  );
}

function assertOrder(leaf: X509Certificate, signers: readonly X509Certificate[]): void {
  let below = leaf;
  for (const signer of signers) {
    if (!below.checkIssued(signer))
      throw new Flaw(
        `the chain is out of order: "${oneLine(signer.subject)}" did not sign "${oneLine(below.subject)}"`,
        'put the certificate of the site first, then each one that signed the one before',
      );
    below = signer;
  }
}

function assertTime({ notBeforeMs, notAfterMs }: Validity, nowMs: number): void {
  if (notAfterMs <= nowMs)
    throw new Flaw(`the certificate expired on ${day(notAfterMs)}`, 'send a newer one');
  if (notBeforeMs > nowMs)
    throw new Flaw(`the certificate is valid from ${day(notBeforeMs)} on`, 'send it then');
}

function assertNames({ names }: CertificateFacts, hosts: readonly string[]): void {
  const missing = hosts.filter((host) => !coversHost(names, host));
  if (missing.length === 0) return;
  throw new Flaw(
    `the certificate is for ${names.join(', ') || 'no host name'}, not for ${missing.join(', ')}`,
    'send one that names it',
  );
}

function factsOf(leaf: X509Certificate): CertificateFacts {
  return {
    names: namesOf(leaf),
    issuer: oneLine(leaf.issuer),
    fingerprint: leaf.fingerprint256.replaceAll(':', '').toLowerCase(),
    notBeforeMs: leaf.validFromDate.getTime(),
    notAfterMs: leaf.validToDate.getTime(),
  };
}

/** Names with characters that would need quoting are quoted by OpenSSL, and are no host names. */
function namesOf({ subjectAltName = '' }: X509Certificate): string[] {
  return subjectAltName
    .split(', ')
    .flatMap((entry) => (entry.startsWith('DNS:') ? [entry.slice(4).toLowerCase()] : []));
}

/** A certificate need not have a subject, whatever the types say. */
const oneLine = (name: string | undefined): string => name?.replaceAll('\n', ', ') ?? '';
const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
