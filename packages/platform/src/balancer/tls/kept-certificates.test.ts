import { beforeEach, describe, expect, it } from 'vitest';
import type { CertificateMessage } from '../../ports/certificate-messages.ts';
import type { CertificateShelf } from './certificate-shelf.ts';
import { KeptCertificates } from './kept-certificates.ts';

const certificate = (
  host: string,
  serial = 1,
  more: Partial<CertificateMessage> = {},
): CertificateMessage => ({
  host,
  names: [host],
  chainPem: `chain ${host} ${serial}`,
  privateKeyPem: `key ${host} ${serial}`,
  isFallback: false,
  ...more,
});

let done: string[];
let kept: KeptCertificates;
beforeEach(() => {
  done = [];
  const shelf: Pick<CertificateShelf, 'put' | 'remove'> = {
    put: ({ hosts, certificatePem, isFallback }) =>
      void done.push(`put ${hosts.join('+')} ${certificatePem}${isFallback ? ' fallback' : ''}`),
    remove: (hosts) => void done.push(`remove ${hosts.join('+')}`),
  };
  kept = new KeptCertificates(shelf as CertificateShelf);
});

describe('certificates as the nexus counts them', () => {
  it('only what changed reaches the shelf', () => {
    kept.applySnapshot({ run: 'r', epoch: 4, certificates: [certificate('a'), certificate('b')] });
    done.length = 0;
    kept.applySnapshot({
      run: 's',
      epoch: 0,
      certificates: [certificate('a'), certificate('c', 1, { isFallback: true })],
    });
    expect(done).toEqual(['remove b', 'put c chain c 1 fallback']);
    expect(kept.state()).toMatchObject({ run: 's', epoch: 0 });
  });

  it('updates follow one another within a run; a gap and another run ask for a snapshot', () => {
    expect(kept.applyUpdate({ run: 'r', epoch: 1 }, { certificate: certificate('a') })).toBe(false);
    kept.applySnapshot({ run: 'r', epoch: 4, certificates: [] });
    expect(kept.applyUpdate({ run: 'r', epoch: 5 }, { certificate: certificate('a') })).toBe(true);
    expect(kept.applyUpdate({ run: 'r', epoch: 5 }, { removedHost: 'a' })).toBe(true);
    expect(kept.applyUpdate({ run: 'r', epoch: 7 }, { removedHost: 'a' })).toBe(false);
    expect(kept.applyUpdate({ run: 's', epoch: 6 }, { removedHost: 'a' })).toBe(false);
    expect(kept.applyUpdate({ run: 'r', epoch: 6 }, { removedHost: 'a' })).toBe(true);
    expect(done).toEqual(['put a chain a 1', 'remove a']);
  });

  it('an older snapshot of the same run takes nothing back', () => {
    kept.applySnapshot({ run: 'r', epoch: 4, certificates: [certificate('a', 2)] });
    const older = { run: 'r', epoch: 3, certificates: [certificate('a', 1)] };
    expect(kept.applySnapshot(older)).toBe(false);
    expect(done).toEqual(['put a chain a 2']);
  });

  it('a certificate for other names leaves none of the old ones behind', () => {
    kept.applySnapshot({ run: 'r', epoch: 1, certificates: [certificate('a')] });
    const wider = certificate('a', 2, { names: ['a', '*.a'] });
    kept.applyUpdate({ run: 'r', epoch: 2 }, { certificate: wider });
    expect(done.slice(1)).toEqual(['remove a', 'put a+*.a chain a 2']);
  });
});
