import { describe, expect, it } from 'vitest';
import { parseOptions } from './options.ts';

const NEEDED = ['--routes', 'r.json', '--listen', '127.0.0.1:80'];

describe('the command line of a standalone balancer', () => {
  it('has defaults', () => {
    expect(parseOptions(NEEDED)).toMatchObject({
      routes: 'r.json',
      listen: [{ host: '127.0.0.1', port: 80 }],
      accessLog: { kind: 'stdout' },
      trustedPeers: [],
      check: false,
    });
  });

  it('listens in several places', () => {
    const { listen, listenFds } = parseOptions([
      ...NEEDED,
      ...['--listen', '[::1]:81', '--listen-fd', '3', '--listen-fd', '4'],
    ])!;
    expect(listen).toHaveLength(2);
    expect(listenFds).toEqual([3, 4]);
  });

  it('pairs certificates with keys in their order', () => {
    const argv = ['--listen-tls', '[::]:443', '--certificate', 'a.pem', '--key', 'a.key'];
    const options = parseOptions([...NEEDED, ...argv, '--key', 'b.key', '--certificate', 'b.pem']);
    expect(options).toMatchObject({
      listenTls: [{ host: '::', port: 443 }],
      certificates: [
        { certificate: 'a.pem', key: 'a.key' },
        { certificate: 'b.pem', key: 'b.key' },
      ],
    });
  });

  it('asks for help', () => expect(parseOptions(['--help'])).toBeUndefined());

  it('checks without listening', () => {
    expect(parseOptions(['--check', '--routes', 'r.json'])?.check).toBe(true);
  });

  it.each([
    [['--listen', '127.0.0.1:80'], '--routes FILE is missing'],
    [['--routes', 'r.json'], '--listen ADDRESS:PORT is missing'],
    [[...NEEDED, '--listen', ':80'], '--listen :80: ADDRESS:PORT is needed; everywhere is [::]:80'],
    [[...NEEDED, '--listen', '127.0.0.1:65536'], 'a port from 0 to 65535 is needed'],
    [[...NEEDED, '--workers', '0'], '--workers 0: a number from 1 to 256 is needed'],
    [[...NEEDED, '--workers', 'all'], '--workers all: a number from 1 to 256 is needed'],
    [[...NEEDED, '--worker', '2'], '--worker is not known; did you mean --workers?'],
    [[...NEEDED, '--acess-log=off'], '--acess-log is not known; did you mean --access-log?'],
    [[...NEEDED, '--verbose'], '--verbose is not known'],
    [[...NEEDED, '--trusted-peer', '10.0.0.0/99'], '--trusted-peer 10.0.0.0/99: an address or'],
    [[...NEEDED, '--proxy-protocol'], '--proxy-protocol: nobody may connect without'],
    [[...NEEDED, '--trusted-peer', 'proxy'], '--trusted-peer proxy: an address or a range'],
    [[...NEEDED, 'more'], 'more'],
    [[...NEEDED, '--listen-tls', '443'], '--listen-tls 443: ADDRESS:PORT is needed; everywhere is'],
    [[...NEEDED, '--listen-tls=[::]:443', '--key=a'], '0 --certificate and 1 --key: each'],
    [[...NEEDED, '--certificate=a', '--key=b'], '--certificate is for --listen-tls'],
    [['--routes'], '--routes'],
  ])('refuses %j: %s', (argv, complaint) => {
    expect(() => parseOptions(argv)).toThrow(complaint);
  });
});
