// Certificates over time and in several hands: wildcards, removal, those that people bring, a second
// nexus, and where private keys are seen.
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { makeKey } from '../../packages/platform/src/nexus/certificates/certificate-documents.ts';
import {
  servedBy,
  until,
  useCertificates,
  viewOf,
  type KeeperSettings,
} from '../support/certificate-fixture.ts';
import type { ChallengeResponder } from '../support/challenge-responder.ts';
import { FakeAuthority } from '../support/fake-authority.ts';

const SOON = { retryDelayMsFirst: 20, retryDelayMsMax: 100, retryDnsDelayMsMax: 50 };

const parts = useCertificates();
let { dns, responder, fixture, authority } = parts;
beforeEach(() => {
  ({ dns, responder, fixture, authority } = parts);
});
const start = (settings: KeeperSettings = {}) => parts.start(settings);

describe('wildcards', () => {
  it('need a DNS hook, and say so', async () => {
    const running = await start({ limits: SOON });
    await running.keeper.ensure('*.shop.example');
    const failing = await until(async () => {
      const view = await viewOf(running, '*.shop.example');
      return view?.state === 'failing' ? view : undefined;
    });
    expect(failing.error).toMatchObject({ code: 'DNS_HOOK_MISSING' });
  });

  it('are ordered through it without a look at addresses; so is the suffix of a public platform', async () => {
    const dnsSolver = { ...responder, kinds: ['dns-01' as const] } as unknown as ChallengeResponder;
    const access = { authority, solver: responder, dnsSolver };
    const running = await start({ access, suffix: 'apps.example' });
    await running.keeper.ensure('*.shop.example');
    await until(async () => {
      const views = await running.keeper.domains();
      return views.length === 2 && views.every(({ state }) => state === 'valid');
    });
    const names = authority.orders.map((order) => order.names.join(' '));
    expect(names.toSorted()).toEqual(['*.shop.example', 'apps.example *.apps.example']);
    expect(authority.orders.every(({ solver }) => solver === dnsSolver)).toBe(true);
    expect(servedBy(running, '*.apps.example')).toMatchObject({ isFallback: true });
  });
});

describe('a host that is removed', () => {
  it('is forgotten with its key, also in the middle of an order', async () => {
    let wasAborted = false;
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    authority.before = async ({ signal }) => {
      begin();
      await once(signal, 'abort');
      wasAborted = true;
    };
    const running = await start();
    await running.keeper.ensure('shop.example');
    await until(() => servedBy(running, 'shop.example'));
    await begun;
    expect((await viewOf(running, 'shop.example'))?.state).toBe('pending');
    await running.keeper.remove('shop.example');
    await until(() => running.changes.at(-1)?.kind === 'removed');
    expect(await viewOf(running, 'shop.example')).toBeUndefined();
    expect(servedBy(running, 'shop.example')).toBeUndefined();
    await until(() => wasAborted);
    // One that is there again is ordered again.
    authority.before = async () => undefined;
    await running.keeper.ensure('shop.example');
    await until(async () => (await viewOf(running, 'shop.example'))?.state === 'valid');
  });
});

describe('a certificate that somebody brings', () => {
  async function bring(names: [string, ...string[]] = ['shop.example']) {
    const privateKeyPem = makeKey();
    return { privateKeyPem, chainPem: await authority.issue({ privateKeyPem, names }) };
  }

  it('replaces ours and is left alone', async () => {
    const running = await start();
    authority.validityMs = 3_000;
    const pair = await bring(['shop.example', '*.shop.example']);
    const facts = await running.keeper.import(pair, ['shop.example']);
    expect(facts.names).toEqual(['shop.example', '*.shop.example']);
    await until(() => servedBy(running, 'shop.example')?.source === 'imported');
    expect(servedBy(running, 'shop.example')).toMatchObject({ ...pair, names: facts.names });
    expect(await viewOf(running, 'shop.example')).toMatchObject({ state: 'valid' });
    await until(async () => (await viewOf(running, 'shop.example'))?.state === 'expired');
    expect(authority.orders).toEqual([]);
  });

  it('wins over an order that is under way', async () => {
    const { promise: mayIssue, resolve: issue } = Promise.withResolvers<void>();
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    authority.before = async () => {
      begin();
      await mayIssue;
    };
    const running = await start();
    await running.keeper.ensure('shop.example');
    await begun;
    const { fingerprint } = await running.keeper.import(await bring(), ['shop.example']);
    issue();
    await sleep(100);
    expect(servedBy(running, 'shop.example')?.fingerprint).toBe(fingerprint);
  });

  it('is refused with a reason when it does not fit, and changes nothing', async () => {
    const running = await start();
    await running.keeper.ensure('shop.example');
    const before = await until(() => servedBy(running, 'shop.example'));
    const other = { ...(await bring()), privateKeyPem: makeKey() };
    await expect(running.keeper.import(other, ['shop.example'])).rejects.toMatchObject({
      code: 'CERTIFICATE_INVALID',
      message: 'the key does not belong to the certificate',
    });
    await expect(running.keeper.import(await bring(), ['a.example'])).rejects.toMatchObject({
      code: 'CERTIFICATE_INVALID',
    });
    authority.validityMs = -1_000;
    await expect(running.keeper.import(await bring(), ['shop.example'])).rejects.toMatchObject({
      message: expect.stringContaining('expired') as string,
    });
    expect(before.host).toBe('shop.example');
    expect(await viewOf(running, 'a.example')).toBeUndefined();
  });
});

describe('another nexus', () => {
  it('goes on where the last one was: nothing is ordered twice', async () => {
    const first = await start();
    await first.keeper.ensure('shop.example');
    await until(async () => (await viewOf(first, 'shop.example'))?.state === 'valid');
    const { fingerprint } = await until(() => servedBy(first, 'shop.example'));
    await first.stop();
    const second = await start();
    await until(() => servedBy(second, 'shop.example')?.fingerprint === fingerprint);
    await sleep(200);
    expect(authority.orders).toHaveLength(1);
  });

  it('hears of every change and orders only when it is its turn', async () => {
    const limits = { leaseMs: 600 };
    const [one, other] = [new FakeAuthority(), new FakeAuthority()];
    const first = await start({ access: { authority: one, solver: responder }, limits });
    await until(() => servedBy(first, '*.localhost'));
    const second = await start({
      access: { authority: other, solver: responder },
      limits,
      holder: 'n2',
    });
    await second.keeper.ensure('shop.example');
    await until(() => servedBy(second, 'shop.example')?.source === 'acme');
    expect([one.orders.length, other.orders.length]).toEqual([1, 0]);
    await first.stop();
    dns.add('later.example', 'A', '127.0.0.1');
    await second.keeper.ensure('later.example');
    await until(() => servedBy(second, 'later.example')?.source === 'acme');
    expect([one.orders.length, other.orders.length]).toEqual([1, 1]);
  });

  it('uses the same account', async () => {
    const first = await start();
    await first.keeper.ensure('shop.example');
    await until(async () => (await viewOf(first, 'shop.example'))?.state === 'valid');
    await first.stop();
    const second = await start();
    dns.add('later.example', 'A', '127.0.0.1');
    await second.keeper.ensure('later.example');
    await until(() => authority.orders.length === 2);
    const [one, other] = authority.orders;
    expect(one?.accountKeyPem).toBe(other?.accountKeyPem);
    expect(one?.privateKeyPem).not.toBe(other?.privateKeyPem);
  });
});

describe('private keys', () => {
  it('are in the clear for balancers alone', async () => {
    const running = await start();
    await running.keeper.ensure('shop.example');
    await until(() => servedBy(running, 'shop.example')?.source === 'acme');
    const { privateKeyPem } = await until(() => servedBy(running, 'shop.example'));
    const secrets = [privateKeyPem, authority.orders[0]?.accountKeyPem ?? ''].map(
      (pem) => pem.split('\n')[1] ?? '',
    );
    const shown = JSON.stringify(await running.keeper.domains()) + fixture.reports.join('');
    const stored = await fixture.storedText();
    expect(stored).toContain('BEGIN CERTIFICATE');
    for (const secret of secrets) {
      expect(secret).toHaveLength(64);
      expect(shown).not.toContain(secret);
      expect(stored).not.toContain(secret);
    }
    expect(stored).not.toContain('PRIVATE KEY');
  });

  it('that were altered keep their own certificate from being served, and no other', async () => {
    const first = await start();
    await first.keeper.ensure('shop.example');
    await until(async () => (await viewOf(first, 'shop.example'))?.state === 'valid');
    await first.repository.modify<{ privateKey: { data: string } }>(
      'certificates/shop.example',
      (document) => ({ ...document, privateKey: { ...document.privateKey, data: 'AAAA' } }),
    );
    await first.stop();
    const second = await start();
    await until(() => servedBy(second, '*.localhost'));
    expect(servedBy(second, 'shop.example')).toBeUndefined();
    expect(fixture.reports.join()).toContain('the certificate of shop.example cannot be used');
  });
});
