import { parseArgs } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { CertificateSettings } from '../domain/installation.ts';
import {
  CERTIFICATE_OPTIONS,
  certificateArguments,
  mergeCertificateSettings,
  readCertificateOptions,
} from './certificate-options.ts';

const read = (...args: string[]): CertificateSettings =>
  readCertificateOptions(parseArgs({ args, options: CERTIFICATE_OPTIONS }).values);

const ALL: CertificateSettings = {
  directoryUrl: 'https://ca.example/dir',
  extraCaFile: '/etc/ca.pem',
  contactEmail: 'a@b.example',
  dnsHook: ['/opt/hook', '--zone=x', 'two words'],
  publicAddresses: ['203.0.113.9', '2001:db8::9'],
  dnsServers: ['127.0.0.1:53'],
};

describe('options about certificates', () => {
  it('are handed on as they were said', () => {
    expect(read(...certificateArguments(ALL))).toEqual(ALL);
    expect(certificateArguments()).toEqual([]);
    expect(read()).toEqual({});
  });

  it('are kept, replaced one by one, and taken back by an empty value', () => {
    expect(mergeCertificateSettings(undefined, read('--acme-contact', 'a@b.example'))).toEqual({
      contactEmail: 'a@b.example',
    });
    expect(mergeCertificateSettings(ALL, read())).toEqual(ALL);
    expect(mergeCertificateSettings(ALL, read('--public-address', '203.0.113.1'))).toEqual({
      ...ALL,
      publicAddresses: ['203.0.113.1'],
    });
    const { dnsHook, extraCaFile, ...rest } = ALL;
    expect([dnsHook, extraCaFile]).not.toContain(undefined);
    expect(mergeCertificateSettings(ALL, read('--dns-hook=', '--acme-ca='))).toEqual(rest);
  });

  it.each([
    [['--acme-directory', 'http://ca.example/dir'], 'http://ca.example/dir'],
    [['--acme-directory', 'ca.example'], 'ca.example'],
    [['--acme-ca', 'ca.pem'], 'ca.pem'],
  ])('are refused when they cannot be meant: %j', (args, named) => {
    expect(() => read(...args)).toThrow(named);
  });
});
