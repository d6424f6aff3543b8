import { describe, expect, it } from 'vitest';
import { parseAgentOptions } from './options.ts';

const settings = (...args: string[]) => {
  const options = parseAgentOptions(['--installation', 'x', ...args]);
  return options === 'help' ? options : options.certificates;
};

describe('the agent’s options about certificates', () => {
  it('are all absent by default', () => {
    expect(settings()).toEqual({ publicAddresses: [] });
  });

  it('name the authority and what it needs', () => {
    const args = [
      ...['--acme-directory', 'https://ca.example/dir', '--acme-ca', '/etc/ca.pem'],
      ...['--acme-contact', 'a@b.example', '--dns-hook', '/opt/hook', '--dns-hook=--zone=x'],
      ...['--public-address', '203.0.113.9', '--public-address', '2001:db8::9'],
      ...['--dns-server', '127.0.0.1:53'],
    ];
    expect(settings(...args)).toEqual({
      directoryUrl: 'https://ca.example/dir',
      extraCaFile: '/etc/ca.pem',
      contactEmail: 'a@b.example',
      dnsHook: ['/opt/hook', '--zone=x'],
      publicAddresses: ['203.0.113.9', '2001:db8::9'],
      dnsServers: ['127.0.0.1:53'],
    });
  });
});
