import { pack, unpack } from 'msgpackr';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { CERTIFICATE_MESSAGES } from './certificate-messages.ts';

const pem = '-----BEGIN X-----\nAA\n-----END X-----\n';
const certificate = {
  host: 'a.example',
  names: ['a.example'],
  chainPem: pem,
  privateKeyPem: pem,
  fingerprint: 'ab',
  isFallback: false,
};
const http = { kind: 'http-01', host: 'a.example', token: 'tok_-1', content: 'tok_-1.key' };
const alpn = {
  kind: 'tls-alpn-01',
  host: 'a.example',
  certificate: { chainPem: pem, privateKeyPem: pem },
};
const ticketKey = new Uint8Array(48).fill(7);
type Type = keyof typeof CERTIFICATE_MESSAGES;

const accepts = (type: Type, body: object): boolean =>
  v.is(CERTIFICATE_MESSAGES[type], unpack(pack({ type, ...body })));

describe('messages about certificates', () => {
  it.each<[Type, object]>([
    ['certificates.get', {}],
    ['certificate.set', { epoch: 1, certificate }],
    ['certificate.removed', { epoch: 2, host: 'a.example' }],
    ['challenge.present', { epoch: 3, challenge: http }],
    ['challenge.cleanup', { epoch: 4, challenge: alpn }],
    ['tickets.key', { epoch: 5, ticketKey }],
    [
      'certificates.snapshot',
      { epoch: 6, certificates: [certificate], challenges: [http, alpn], ticketKey },
    ],
  ])('%s survives the wire', (type, body) => {
    expect(accepts(type, body)).toBe(true);
  });

  it.each<[string, Type, object]>([
    ['a path for a token', 'challenge.present', { challenge: { ...http, token: '../x' } }],
    [
      'an endless answer',
      'challenge.present',
      { challenge: { ...http, content: 'x'.repeat(2e3) } },
    ],
    ['another challenge', 'challenge.present', { challenge: { ...http, kind: 'dns-01' } }],
    ['a short ticket key', 'tickets.key', { ticketKey: ticketKey.subarray(1) }],
    [
      'a key that is none',
      'certificate.set',
      { certificate: { ...certificate, privateKeyPem: '' } },
    ],
    ['a missing epoch', 'certificate.removed', { host: 'a.example', epoch: undefined }],
  ])('with %s are refused', (_name, type, body) => {
    expect(accepts(type, { epoch: 1, ...body })).toBe(false);
  });
});
