import { describe, expect, it } from 'vitest';
import { domainStatus, type DomainFacts } from './domain-status.ts';

const NOW = 1_000_000;
const facts = (over: Partial<DomainFacts> = {}): DomainFacts => ({
  isOrdered: true,
  isOrdering: false,
  attempts: { failures: 0 },
  nowMs: NOW,
  ...over,
});
const certificate = { source: 'acme' as const, notBeforeMs: 0, notAfterMs: NOW + 5 };
const selfSigned = { ...certificate, source: 'self-signed' as const };
const failing = {
  failures: 3,
  failingSinceMs: 7,
  nextAtMs: NOW + 60,
  error: { code: 'CERTIFICATE_REFUSED', message: 'no' },
};

describe('the status of a domain', () => {
  it.each([
    ['pending', facts()],
    ['pending', facts({ isOrdering: true, certificate: selfSigned })],
    ['valid', facts({ certificate })],
    ['valid', facts({ certificate: { ...certificate, source: 'imported' }, isOrdered: false })],
    ['renewing', facts({ certificate, isOrdering: true })],
    ['failing', facts({ attempts: failing })],
    ['failing', facts({ attempts: failing, certificate })],
    ['expired', facts({ certificate: { ...certificate, notAfterMs: NOW } })],
    ['expired', facts({ certificate: { ...certificate, notAfterMs: 1 }, attempts: failing })],
    ['none', facts({ isOrdered: false, certificate: selfSigned })],
  ])('is %s', (state, given) => {
    expect(domainStatus(given).state).toBe(state);
  });

  it('says since when and why it fails, and until when the old one holds', () => {
    expect(domainStatus(facts({ certificate, attempts: failing }))).toEqual({
      state: 'failing',
      source: 'acme',
      validUntilMs: NOW + 5,
      failingSinceMs: 7,
      nextAttemptMs: NOW + 60,
      error: failing.error,
    });
  });
});
