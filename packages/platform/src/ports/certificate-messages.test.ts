import { pack, unpack } from 'msgpackr';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { CERTIFICATE_MESSAGES } from './certificate-messages.ts';
import { ROUTE_MESSAGES } from './route-messages.ts';

const pem = '-----BEGIN X-----\nAA\n-----END X-----\n';
const version = { run: 'r', epoch: 1 };
const certificate = {
  host: 'a.example',
  names: ['a.example'],
  chainPem: pem,
  privateKeyPem: pem,
  isFallback: false,
};
const http = { kind: 'http-01', host: 'a.example', token: 'tok_-1', content: 'tok_-1.key' };
const alpn = {
  kind: 'tls-alpn-01',
  host: 'a.example',
  certificate: { chainPem: pem, privateKeyPem: pem },
};
const ticketKey = new Uint8Array(48).fill(7);

const MESSAGES = { ...ROUTE_MESSAGES, ...CERTIFICATE_MESSAGES };
type Type = keyof typeof MESSAGES;

const accepts = (type: Type, body: object): boolean =>
  v.is(MESSAGES[type], unpack(pack({ type, ...body })));

describe('messages about certificates', () => {
  it.each<[Type, object]>([
    ['certificates.get', {}],
    ['certificates.update', { ...version, certificate }],
    ['certificates.update', { ...version, removedHost: 'a.example' }],
    ['certificates.update', { ...version, ticketKey }],
    ['certificates.snapshot', { ...version, certificates: [certificate], ticketKey }],
    ['routes.update', { epoch: 3, challenges: [http, alpn] }],
    ['routes.snapshot', { snapshot: { epoch: 3, apps: [], challenges: [http] } }],
  ])('%s survives the wire', (type, body) => {
    expect(accepts(type, body)).toBe(true);
  });

  it.each<[string, Type, object]>([
    ['a path for a token', 'routes.update', { challenges: [{ ...http, token: '../x' }] }],
    ['an endless answer', 'routes.update', { challenges: [{ ...http, content: 'x'.repeat(2e3) }] }],
    ['another challenge', 'routes.update', { challenges: [{ ...http, kind: 'dns-01' }] }],
    ['a short ticket key', 'certificates.update', { ticketKey: ticketKey.subarray(1) }],
    [
      'a key that is none',
      'certificates.update',
      { certificate: { ...certificate, privateKeyPem: '' } },
    ],
    ['a missing epoch', 'certificates.update', { removedHost: 'a.example', epoch: undefined }],
  ])('with %s are refused', (_name, type, body) => {
    expect(accepts(type, { ...version, ...body })).toBe(false);
  });
});
