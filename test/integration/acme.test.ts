// Certificates from a real ACME server: every kind of challenge, and every way it can go wrong.
import { generateKeyPairSync } from 'node:crypto';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TandemError } from '@tandem/protocol';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createAcmeProcesses } from '../../packages/platform/src/adapters/acme/order-process.ts';
import { dnsHookSolver } from '../../packages/platform/src/adapters/acme/dns-hook.ts';
import { examinePair } from '../../packages/platform/src/domain/certificate/certificate-pair.ts';
import { runCommand } from '../../packages/platform/src/lib/run-command.ts';
import {
  RateLimited,
  type CertificateAuthority,
  type ChallengeSolver,
} from '../../packages/platform/src/ports/certificate-authority.ts';
import { AcmeServer, freePort } from '../support/acme-server.ts';
import { ChallengeResponder } from '../support/challenge-responder.ts';
import { StubDns } from '../support/stub-dns.ts';
import { StubAuthority, problem, type StubAnswer } from '../support/stub-authority.ts';

const keyPem = (): string => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
};

let dns: StubDns;
let responder: ChallengeResponder;
let server: AcmeServer;
let authority: CertificateAuthority;
let directory: string;
const accountKeyPem = keyPem();

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tandem-acme-test-'));
  dns = await StubDns.start();
  responder = await ChallengeResponder.start();
  const { httpPort, tlsPort } = responder;
  server = await AcmeServer.start({ dns, httpPort, tlsPort, blocked: ['blocked.example'] });
  authority = createAcmeProcesses({
    directoryUrl: server.directoryUrl,
    extraCaPem: server.caPem,
    contactEmail: 'admin@platform.example',
  });
});

afterAll(async () => {
  await server.stop();
  await responder.stop();
  await dns.stop();
  await rm(directory, { recursive: true });
});

beforeEach(() => {
  responder.kinds = ['http-01', 'tls-alpn-01'];
  responder.lie = undefined;
  responder.beforePresent = async () => undefined;
});

afterEach(() => {
  expect(responder.isTidy).toBe(true);
});

interface Ordered {
  readonly names: [string, ...string[]];
  readonly solver?: ChallengeSolver;
  readonly signal?: AbortSignal;
  readonly from?: CertificateAuthority;
  readonly accountKey?: string;
}

async function order(options: Ordered): Promise<{ chainPem: string; privateKeyPem: string }> {
  const { names, solver = responder, from = authority, accountKey = accountKeyPem } = options;
  const signal = options.signal ?? new AbortController().signal;
  const privateKeyPem = keyPem();
  const chainPem = await from.order({
    accountKeyPem: accountKey,
    privateKeyPem,
    names,
    solver,
    signal,
  });
  return { chainPem, privateKeyPem };
}

async function failure(work: Promise<unknown>): Promise<TandemError> {
  const outcome: unknown = await work.then(
    () => 'no error',
    (error: unknown) => error,
  );
  expect(outcome).toBeInstanceOf(TandemError);
  return outcome as TandemError;
}

describe('a certificate', () => {
  it.each(['http-01', 'tls-alpn-01'] as const)('is given for %s', async (kind) => {
    responder.kinds = [kind];
    const host = `${kind}.example`;
    dns.add(host, 'A', '127.0.0.1');
    const pair = await order({ names: [host] });
    const verdict = examinePair(pair, { hosts: [host], nowMs: Date.now() });
    expect(verdict).toMatchObject({ facts: { names: [host] } });
    expect(responder.presented.at(-1)).toMatchObject({ kind, host });
  });

  it('may have several names, each shown by itself', async () => {
    dns.add('shop.example', 'A', '127.0.0.1');
    dns.add('www.shop.example', 'A', '127.0.0.1');
    const pair = await order({ names: ['shop.example', 'www.shop.example'] });
    const hosts = ['shop.example', 'www.shop.example'];
    expect(examinePair(pair, { hosts, nowMs: Date.now() })).toHaveProperty('facts');
  });

  it('is given to many at once under one account, by one that begins and one that goes on', async () => {
    const hosts = Array.from({ length: 8 }, (_, index) => `many-${index}.example`);
    for (const host of hosts) dns.add(host, 'A', '127.0.0.1');
    const fresh = createAcmeProcesses({
      directoryUrl: server.directoryUrl,
      extraCaPem: server.caPem,
    });
    const pairs = await Promise.all(
      hosts.map((host, index) => order({ names: [host], from: index % 2 ? fresh : authority })),
    );
    expect(new Set(pairs.map(({ chainPem }) => chainPem)).size).toBe(8);
    expect(server.log.match(/There are now \d+ accounts in memory/g)).toEqual([
      'There are now 1 accounts in memory',
    ]);
  });
});

describe('an account', () => {
  it('is made once, however many are the first', async () => {
    const hosts = Array.from({ length: 4 }, (_, index) => `first-${index}.example`);
    for (const host of hosts) dns.add(host, 'A', '127.0.0.1');
    const accounts = () => server.log.match(/There are now \d+ accounts in memory/g)?.length ?? 0;
    const before = accounts();
    const fresh = keyPem();
    await Promise.all(hosts.map((host) => order({ names: [host], accountKey: fresh })));
    expect(accounts()).toBe(before + 1);
  });
});

describe('the process of an order', () => {
  it('may be killed: what it put up is taken down', async () => {
    dns.add('killed.example', 'A', '127.0.0.1');
    responder.beforePresent = async () => {
      const argv = ['pgrep', '-P', String(process.pid), '-f', 'order-program'] as const;
      const { stdout } = await runCommand([...argv], { timeoutMs: 5_000 });
      for (const pid of stdout.trim().split('\n')) process.kill(Number(pid), 'SIGKILL');
    };
    const error = await failure(order({ names: ['killed.example'] }));
    expect(error.code).toBe('INTERNAL');
    expect(error.message).toContain('SIGKILL');
    expect(responder.cleaned.at(-1)).toMatchObject({ host: 'killed.example' });
  });
});

describe('DNS-01', () => {
  /** Keeps the records in a file that the test puts into the DNS. */
  async function hook(script: string): Promise<[string, string]> {
    const file = join(directory, `hook-${Math.random().toString(36).slice(2)}.sh`);
    await writeFile(file, `#!/bin/sh\n${script}\n`);
    await chmod(file, 0o755);
    return ['/bin/sh', file];
  }
  const reports: string[] = [];
  const solverOf = (argv: [string, ...string[]], timeoutMs = 20_000): ChallengeSolver =>
    dnsHookSolver({ argv, timeoutMs, report: (text) => reports.push(text) });

  it('gives a wildcard, and its name beside it, through a command', async () => {
    const log = join(directory, 'hook.log');
    dns.txtFile = join(directory, 'records');
    const solver = solverOf(
      await hook(`
        exec 9>> ${log}.lock
        flock 9
        echo "$@" >> ${log}
        case $1 in
          present) echo "$2 $3" >> ${dns.txtFile} ;;
          cleanup) sed -i "/ $3$/d" ${dns.txtFile} ;;
        esac`),
    );
    const names: [string, string] = ['*.wild.example', 'wild.example'];
    const pair = await order({ names, solver });
    expect(examinePair(pair, { hosts: names, nowMs: Date.now() })).toHaveProperty('facts');
    expect(dns.values('_acme-challenge.wild.example', 'TXT')).toEqual([]);
    const calls = (await readFile(log, 'utf8')).trim().split('\n');
    expect(calls).toHaveLength(4);
    for (const call of calls)
      expect(call).toMatch(/^(present|cleanup) _acme-challenge\.wild\.example [\w-]{43}$/);
  });

  it('says what a command said that failed, and cleans up after it', async () => {
    const log = join(directory, 'failed.log');
    const solver = solverOf(await hook(`echo $1 >> ${log}; echo no such zone >&2; exit 3`));
    const error = await failure(order({ names: ['*.failing.example'], solver }));
    expect(error.code).toBe('CHALLENGE_NOT_PRESENTED');
    expect(error.message).toContain('ended with status 3: no such zone');
    expect(error.hint).toContain('present _acme-challenge.failing.example VALUE');
    expect(await readFile(log, 'utf8')).toBe('present\ncleanup\n');
    expect(reports.at(-1)).toContain('failing.example');
  });

  it('ends a command that takes too long', async () => {
    const solver = solverOf(await hook('exec sleep 60'), 300);
    const startedMs = Date.now();
    const error = await failure(order({ names: ['*.slow.example'], solver }));
    expect(error.code).toBe('CHALLENGE_NOT_PRESENTED');
    expect(Date.now() - startedMs).toBeLessThan(15_000);
  });

  it('is needed for a wildcard', async () => {
    const error = await failure(order({ names: ['*.plain.example'] }));
    expect(error.code).toBe('CERTIFICATE_REFUSED');
    expect(error.message).toContain('wants dns-01; we can do http-01, tls-alpn-01');
  });
});

describe('a name that is not shown to be ours', () => {
  it('fails with what the authority found', async () => {
    dns.add('lying.example', 'A', '127.0.0.1');
    responder.lie = 'something else';
    const error = await failure(order({ names: ['lying.example'] }));
    expect(error.code).toBe('DOMAIN_VALIDATION_FAILED');
    expect(error.message).toContain('lying.example could not be validated: ');
    expect(error.hint).toMatch(/Something else answered/);
  });

  it('fails when the DNS does not know it', async () => {
    const error = await failure(order({ names: ['unknown.example'] }));
    expect(error.code).toBe('DOMAIN_VALIDATION_FAILED');
    expect(error.hint).toContain('A');
  });

  it('fails when it is not put up, whatever the reason', async () => {
    dns.add('unready.example', 'A', '127.0.0.1');
    responder.beforePresent = async () => {
      throw new TandemError('BALANCER_SILENT', 'no word from balancer-1');
    };
    const error = await failure(order({ names: ['unready.example'] }));
    expect(error.code).toBe('CHALLENGE_NOT_PRESENTED');
    expect(error.message).toContain('no word from balancer-1');
  });

  it('does not keep one of several from being cleaned up', async () => {
    dns.add('good.example', 'A', '127.0.0.1');
    const error = await failure(order({ names: ['good.example', 'missing.example'] }));
    expect(error.code).toBe('DOMAIN_VALIDATION_FAILED');
    expect(error.message).toContain('missing.example');
  });

  it('is given up with its signal', async () => {
    dns.add('cancelled.example', 'A', '127.0.0.1');
    const stop = new AbortController();
    const reason = new Error('enough');
    responder.beforePresent = async () => stop.abort(reason);
    const work = order({ names: ['cancelled.example'], signal: stop.signal });
    await expect(work).rejects.toBe(reason);
  });
});

describe('an authority that does not help', () => {
  it('refuses a name with its own words', async () => {
    const error = await failure(order({ names: ['blocked.example'] }));
    expect(error.code).toBe('CERTIFICATE_REFUSED');
    expect(error.message).toMatch(/^localhost:\d+ refuses: .*blocked/i);
  });

  it('is told apart from one that is not there', async () => {
    const url = `https://localhost:${await freePort()}/dir`;
    const error = await failure(
      order({ names: ['a.example'], from: createAcmeProcesses({ directoryUrl: url }) }),
    );
    expect(error.code).toBe('CERTIFICATE_AUTHORITY_UNREACHABLE');
    expect(error.message).toMatch(/ECONNREFUSED/);
    expect(error.hint).toContain('stay in use');
  });

  it('is not believed when nobody vouches for it', async () => {
    const from = createAcmeProcesses({ directoryUrl: server.directoryUrl });
    const error = await failure(order({ names: ['a.example'], from }));
    expect(error.code).toBe('CERTIFICATE_AUTHORITY_UNREACHABLE');
    expect(error.message).toMatch(/self-signed|certificate/i);
  });

  it('is not spoken to in the clear', async () => {
    const from = createAcmeProcesses({ directoryUrl: 'http://localhost:1/dir' });
    const error = await failure(order({ names: ['a.example'], from }));
    expect(error.message).toContain('not an https URL');
  });

  it('may be none at all', async () => {
    const closing = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
    await new Promise((resolve) => closing.once('listening', resolve));
    const { port } = closing.address() as { port: number };
    const from = createAcmeProcesses({ directoryUrl: `https://localhost:${port}/dir` });
    const error = await failure(order({ names: ['a.example'], from }));
    expect(error.code).toBe('CERTIFICATE_AUTHORITY_UNREACHABLE');
    closing.close();
  });

  async function answered(answer: StubAnswer): Promise<TandemError> {
    const stub = await StubAuthority.start(answer);
    try {
      const { directoryUrl, caPem } = stub;
      const from = createAcmeProcesses({ directoryUrl, extraCaPem: caPem });
      return await failure(order({ names: ['a.example'], from }));
    } finally {
      await stub.stop();
    }
  }

  it('makes us wait for as long as it says, without waiting itself', async () => {
    const startedMs = Date.now();
    const error = await answered(
      problem(429, 'rateLimited', 'too many certificates', { 'retry-after': '7200' }),
    );
    expect(error).toBeInstanceOf(RateLimited);
    expect(error).toMatchObject({ code: 'CERTIFICATE_RATE_LIMITED', retryAfterMs: 7_200_000 });
    expect(error.message).toContain('too many certificates');
    expect(Date.now() - startedMs).toBeLessThan(5_000);
  });

  it('may give a date', async () => {
    const at = new Date(Date.now() + 3_600_000).toUTCString();
    const error = await answered(problem(429, 'rateLimited', 'later', { 'retry-after': at }));
    const { retryAfterMs } = error as RateLimited;
    expect(retryAfterMs).toBeGreaterThan(3_590_000);
    expect(retryAfterMs).toBeLessThanOrEqual(3_600_000);
  });

  it.each([
    ['breaks', problem(500, 'serverInternal', 'oops'), 'CERTIFICATE_AUTHORITY_UNREACHABLE'],
    ['is busy', problem(503, '', 'busy', { 'retry-after': '10' }), 'CERTIFICATE_RATE_LIMITED'],
    ['sends a page', { status: 502, body: '<html>' }, 'CERTIFICATE_AUTHORITY_UNREACHABLE'],
    ['has a CAA record against it', problem(403, 'caa', 'CAA'), 'CERTIFICATE_REFUSED'],
    ['speaks nonsense', { status: 201, body: 'ok' }, 'CERTIFICATE_AUTHORITY_UNREACHABLE'],
    ['always rejects nonces', problem(400, 'badNonce', 'x'), 'CERTIFICATE_AUTHORITY_UNREACHABLE'],
    [
      'sends more than it should',
      { status: 201, body: ' '.repeat(2 ** 21) },
      'CERTIFICATE_AUTHORITY_UNREACHABLE',
    ],
  ])('%s', async (_name, answer, code) => {
    expect((await answered(answer)).code).toBe(code);
  });

  it('cannot write to the terminal of who reads its reasons', async () => {
    const error = await answered(problem(403, 'x', `red \u001b[31m\nnext ${'x'.repeat(5_000)}`));
    expect(error.message).not.toMatch(/[\u0000-\u001f]/);
    expect(error.message.length).toBeLessThan(1_200);
  });
});

describe('an authority that forgot everything', () => {
  it('gets a new account from the same key', async () => {
    const { httpPort, tlsPort } = responder;
    const first = await AcmeServer.start({ dns, httpPort, tlsPort });
    const { directoryUrl, caPem, place } = first;
    const from = createAcmeProcesses({ directoryUrl, extraCaPem: caPem });
    dns.add('reborn.example', 'A', '127.0.0.1');
    await order({ names: ['reborn.example'], from });
    await first.stop();
    expect((await failure(order({ names: ['reborn.example'], from }))).code).toBe(
      'CERTIFICATE_AUTHORITY_UNREACHABLE',
    );
    const second = await AcmeServer.start({ dns, httpPort, tlsPort, at: place });
    await order({ names: ['reborn.example'], from });
    await second.stop();
  });
});
