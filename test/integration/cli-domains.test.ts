// `tandem domains` as its users start it, against a control server with a fake backend.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TandemError, type DomainView } from '@tandem/protocol';
import { describe, expect, it } from 'vitest';
import { CliProcess, useCliBundle, type CliResult } from '../support/cli-process.ts';
import { useControlServer } from '../support/control-fixture.ts';

const fixture = useControlServer();
const bundle = useCliBundle();

const tandem = (...args: string[]): Promise<CliResult> =>
  new CliProcess(bundle(), args, {
    cwd: fixture.directory,
    env: { TANDEM_SOCKET: fixture.socketPath },
  }).ended();

const UNTIL = Date.UTC(2031, 4, 6);
const given: DomainView = {
  host: 'bakery.localhost',
  given: true,
  certificate: { state: 'none', source: 'self-signed', validUntilMs: UNTIL },
};
const failing: DomainView = {
  host: 'new.example',
  given: false,
  certificate: {
    state: 'failing',
    source: 'self-signed',
    validUntilMs: UNTIL,
    failingSinceMs: Date.now() - 10 * 60_000 - 1_000,
    nextAttemptMs: 1,
    error: {
      code: 'DOMAIN_ELSEWHERE',
      message: 'new.example has no address in the DNS',
      hint: 'Set the A record of new.example to 203.0.113.5',
    },
  },
};
const valid: DomainView = {
  host: 'www.example',
  given: false,
  certificate: { state: 'valid', source: 'acme', validUntilMs: UNTIL },
};

describe('tandem domains', () => {
  it.each([[['domains']], [['domains', 'list']], [['domains:list']]])(
    'lists them with their certificates: %j',
    async (words) => {
      fixture.backend.domains.push(given, valid, failing);
      const { stdout, exitCode } = await tandem(...words, '-a', 'bakery');
      expect(exitCode).toBe(0);
      expect(stdout).toBe(
        [
          'HOST              CERTIFICATE  UNTIL       WHY',
          'bakery.localhost  self-signed  2031-05-06',
          'www.example       valid        2031-05-06',
          'new.example       failing      2031-05-06  DOMAIN_ELSEWHERE since 10 min ago: new.example has no address in the DNS; next try now',
          'Fix      Set the A record of new.example to 203.0.113.5',
          '',
        ].join('\n'),
      );
    },
  );

  it('gives one document with --json', async () => {
    fixture.backend.domains.push(given, failing);
    const { stdout } = await tandem('domains', '-a', 'bakery', '--json');
    expect(JSON.parse(stdout)).toEqual({ app: 'bakery', domains: [given, failing] });
  });

  it('adds one and waits for its certificate', async () => {
    let looks = 0;
    fixture.backend.listDomains = async () => {
      looks += 1;
      return looks < 3 ? [{ ...valid, certificate: { state: 'pending' } }] : [valid];
    };
    const { stdout, exitCode } = await tandem('domains', 'add', 'www.example', '-a', 'bakery');
    expect(stdout).toBe(
      [
        'Domain   www.example leads to "bakery"',
        'TLS      valid, until 2031-05-06',
        'Next     tandem restart -a bakery   (its processes learn of the name)',
        '',
      ].join('\n'),
    );
    expect(exitCode).toBe(0);
    expect(fixture.backend.calls).toEqual([['add domain', 'bakery', 'www.example']]);
  });

  it('adds one whose certificate fails, with what mends it', async () => {
    fixture.backend.listDomains = async () => [failing];
    const { stdout, exitCode } = await tandem('domains', 'add', 'new.example', '-a', 'bakery');
    expect(exitCode).toBe(0);
    expect(stdout).toContain('TLS      failing, DOMAIN_ELSEWHERE since');
    expect(stdout).toContain('Fix      Set the A record of new.example to 203.0.113.5\n');
  });

  it('adds one without waiting', async () => {
    const args = ['domains', 'add', '*.a.example', '-a', 'bakery', '--detach', '--json'];
    expect(JSON.parse((await tandem(...args)).stdout)).toEqual({
      app: 'bakery',
      domain: { host: '*.a.example', given: false, certificate: { state: 'pending' } },
    });
  });

  it('says that one is taken', async () => {
    fixture.backend.addDomain = async () => {
      throw new TandemError('DOMAIN_TAKEN', 'a.example is in use already', {
        hint: 'Remove it where it is used first.',
      });
    };
    const { stderr, exitCode } = await tandem('domains', 'add', 'a.example', '-a', 'bakery');
    expect(exitCode).toBe(1);
    expect(stderr).toContain('DOMAIN_TAKEN');
  });

  it('removes one', async () => {
    const { stdout } = await tandem('domains', 'remove', '*.a.example', '-a', 'bakery');
    expect(stdout).toBe('Domain   *.a.example does not lead to "bakery" any more\n');
    expect(fixture.backend.calls).toEqual([['remove domain', 'bakery', '*.a.example']]);
  });

  it('takes a certificate from files, and shows nothing of the key', async () => {
    await writeFile(join(fixture.directory, 'c.pem'), 'CHAIN');
    await writeFile(join(fixture.directory, 'k.pem'), 'SECRET');
    const args = ['domains', 'import', 'a.example', 'c.pem', 'k.pem', '-a', 'bakery'];
    const { stdout, stderr, exitCode } = await tandem(...args);
    expect([stdout, stderr, exitCode]).toEqual(['TLS      valid, until 2027-01-15\n', '', 0]);
    expect(fixture.backend.calls).toEqual([
      ['import', 'bakery', 'a.example', { chainPem: 'CHAIN', privateKeyPem: 'SECRET' }],
    ]);
  });

  it('names a file that is not there', async () => {
    const args = ['domains', 'import', 'a.example', 'none.pem', 'k.pem', '-a', 'bakery'];
    const { stderr } = await tandem(...args);
    expect(stderr).toContain('none.pem cannot be read');
  });
});
