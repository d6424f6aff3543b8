// The certificates of a standalone balancer: pairs of files, or one signed by ourselves for localhost.
import { readFile } from 'node:fs/promises';
import { TandemError } from '@tandem/protocol';
import { selfSign } from '../../adapters/self-signed/self-signed.ts';
import type { ServedCertificate } from '../../balancer/index.ts';
import { examinePair, readCertificate } from '../../domain/certificate/certificate-pair.ts';

export interface CertificateFiles {
  readonly certificate: string;
  readonly key: string;
}

const LOCAL_NAMES = ['localhost', '*.localhost'] as const;
/** Nobody renews it, and nobody trusts it for its date. */
const LOCAL_LIFE_MS = 10 * 365 * 24 * 3_600_000;

/**
 * The first of them is also for clients that name no host of any. Throws CERTIFICATE_INVALID. One that
 * has expired is served, and `warn` hears of it: the sites of the others must not go down with it.
 */
export async function readCertificates(
  files: readonly CertificateFiles[],
  warn: (line: string) => void,
): Promise<ServedCertificate[]> {
  if (files.length === 0) return [await localCertificate()];
  return Promise.all(files.map((pair, index) => readPair(pair, { isFallback: index === 0, warn })));
}

async function localCertificate(): Promise<ServedCertificate> {
  const nowMs = Date.now();
  const { chainPem, privateKeyPem } = await selfSign({
    names: LOCAL_NAMES,
    notBeforeMs: nowMs - 24 * 3_600_000,
    notAfterMs: nowMs + LOCAL_LIFE_MS,
  });
  return {
    ...{ certificatePem: chainPem, keyPem: privateKeyPem },
    ...{ hosts: LOCAL_NAMES, isFallback: true },
  };
}

async function readPair(
  files: CertificateFiles,
  { isFallback, warn }: { readonly isFallback: boolean; readonly warn: (line: string) => void },
): Promise<ServedCertificate> {
  const [chainPem, privateKeyPem] = await Promise.all([
    readPem(files.certificate),
    readPem(files.key),
  ]);
  const pair = { chainPem, privateKeyPem };
  const { certificate } = files;
  const verdict = examinePair(pair, { hosts: [], nowMs: beginOf(chainPem) });
  if ('problem' in verdict) {
    const { problem, hint } = verdict;
    throw new TandemError('CERTIFICATE_INVALID', `${certificate}: ${problem}`, { hint });
  }
  const { names, notAfterMs } = verdict.facts;
  if (notAfterMs < Date.now())
    warn(`${certificate}: expired on ${new Date(notAfterMs).toISOString().slice(0, 10)}`);
  return { hosts: names, certificatePem: chainPem, keyPem: privateKeyPem, isFallback };
}

/** Nothing is wrong with its time then. */
function beginOf(chainPem: string): number {
  try {
    return readCertificate(chainPem).notBeforeMs;
  } catch {
    return Date.now();
  }
}

async function readPem(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    const problem = UNREADABLE[code] ?? String(error);
    throw new TandemError('CERTIFICATE_INVALID', `${path}: ${problem}`);
  }
}

const UNREADABLE: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'the file may not be read by this user',
  EISDIR: 'this is a directory, not a file',
};
