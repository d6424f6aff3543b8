// Domains of apps, from the control backend to routes, processes and certificates.
import { TandemError } from '@tandem/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeKey } from '../../packages/platform/src/nexus/certificates/certificate-documents.ts';
import { eventually, NexusFixture } from '../support/nexus-fixture.ts';

let nexus: NexusFixture;

beforeEach(async () => {
  nexus = await NexusFixture.start();
  await nexus.live();
});
afterEach(() => nexus.close());

const listed = async (app = 'bakery') =>
  (await nexus.backend.listDomains(app)).map(({ host, certificate }) => [host, certificate.state]);
const stateOf = async (host: string, app = 'bakery') =>
  (await nexus.backend.listDomains(app)).find((view) => view.host === host)?.certificate.state;
const routedHosts = (appId = 1) => [
  ...new Set(nexus.resolver.apps.get(appId)?.routes.map(({ host }) => host)),
];

describe('a domain', () => {
  it('reaches the app at once and has a certificate soon', async () => {
    const added = await nexus.backend.addDomain('bakery', 'WWW.Bäckerei.example.');
    expect(added).toMatchObject({ host: 'www.xn--bckerei-5wa.example', given: false });
    expect(routedHosts()).toEqual(['bakery.localhost', 'www.xn--bckerei-5wa.example']);
    await eventually(async () => (await stateOf(added.host)) === 'valid');
    expect(await nexus.backend.listDomains('bakery')).toMatchObject([
      { host: 'bakery.localhost', given: true, certificate: { state: 'none' } },
      { host: 'www.xn--bckerei-5wa.example', certificate: { state: 'valid', source: 'acme' } },
    ]);
    expect((await nexus.backend.getApp('bakery')).urls).toContain(
      'http://www.xn--bckerei-5wa.example:8080',
    );
  });

  it('is in the environment of the next processes; wildcards as Django reads them', async () => {
    await nexus.backend.addDomain('bakery', '*.bakery.example');
    await nexus.backend.addDomain('bakery', 'bakery.example');
    const { deploy } = await nexus.backend.restart('bakery');
    await nexus.finished(deploy);
    const env = [...nexus.runner.specs.values()].at(-1)?.env;
    expect(env).toMatchObject({
      TANDEM_HOSTS: 'bakery.localhost,bakery.example,.bakery.example',
      TANDEM_HOST: 'bakery.localhost:8080',
      TANDEM_PUBLIC: '1',
    });
  });

  it('leads nowhere any more when it is removed, and may go to another app', async () => {
    await nexus.backend.addDomain('bakery', 'shop.example');
    await nexus.backend.removeDomain('bakery', 'Shop.Example');
    expect(routedHosts()).toEqual(['bakery.localhost']);
    expect(await listed()).toEqual([['bakery.localhost', 'none']]);
    expect((await nexus.certificates.domains()).map(({ host }) => host)).not.toContain(
      'shop.example',
    );
    await nexus.live('other');
    expect(await nexus.backend.addDomain('other', 'shop.example')).toMatchObject({
      host: 'shop.example',
    });
  });

  it('that is added twice is there once, and its order is tried again', async () => {
    nexus.authority.before = async () => {
      throw new TandemError('DOMAIN_VALIDATION_FAILED', 'port 80 is closed');
    };
    await nexus.backend.addDomain('bakery', 'shop.example');
    await eventually(async () => (await stateOf('shop.example')) === 'failing');
    nexus.authority.before = async () => undefined;
    await nexus.backend.addDomain('bakery', 'shop.example');
    await eventually(async () => (await stateOf('shop.example')) === 'valid');
    expect(await listed()).toHaveLength(2);
  });

  it('that does not lead here says so until it does', async () => {
    nexus.dns.set('new.example', ['198.51.100.1']);
    await nexus.backend.addDomain('bakery', 'new.example');
    await eventually(async () => (await stateOf('new.example')) === 'failing');
    const views = await nexus.backend.listDomains('bakery');
    expect(views[1]?.certificate).toMatchObject({
      error: {
        code: 'DOMAIN_ELSEWHERE',
        message: expect.stringContaining('198.51.100.1') as string,
      },
      source: 'self-signed',
    });
    nexus.dns.delete('new.example');
    await eventually(async () => (await stateOf('new.example')) === 'valid');
  });
});

describe('a domain is refused', () => {
  it.each([
    ['http://a.example', 'no scheme'],
    ['10.0.0.1', 'an address'],
    ['a.*.example', '*'],
    ['other.localhost', 'belongs to the platform'],
    ['localhost', 'no dot'],
    ['*.localhost', 'no dot'],
    ['*.bakery.localhost', 'belongs to the platform'],
  ])('when it is %s', async (host, text) => {
    await expect(nexus.backend.addDomain('bakery', host)).rejects.toMatchObject({
      code: 'DOMAIN_INVALID',
      message: expect.stringContaining(text) as string,
      hint: expect.any(String) as string,
    });
    expect(await listed()).toHaveLength(1);
  });

  it('when another app has it, which is not named', async () => {
    await nexus.live('secret-project');
    await nexus.backend.addDomain('secret-project', 'shop.example');
    const refused = nexus.backend.addDomain('bakery', 'SHOP.example');
    await expect(refused).rejects.toMatchObject({ code: 'DOMAIN_TAKEN' });
    const error = await refused.catch((thrown: unknown) => thrown as TandemError);
    expect(JSON.stringify((error as TandemError).toBody())).not.toContain('secret');
    expect(routedHosts()).toEqual(['bakery.localhost']);
  });

  it('when two apps want it at the same time: one gets it', async () => {
    await nexus.live('other');
    const outcomes = await Promise.allSettled(
      ['bakery', 'other', 'bakery', 'other'].map((app) =>
        nexus.backend.addDomain(app, 'shop.example'),
      ),
    );
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(2);
    const owners = await Promise.all(['bakery', 'other'].map((app) => listed(app)));
    expect(owners.flat()).toHaveLength(3);
  });

  it('when there is no such app, or it has no such domain', async () => {
    await expect(nexus.backend.addDomain('none', 'a.example')).rejects.toMatchObject({
      code: 'APP_NOT_FOUND',
    });
    for (const host of ['a.example', 'bakery.localhost', '//'])
      await expect(nexus.backend.removeDomain('bakery', host)).rejects.toMatchObject({
        code: 'DOMAIN_NOT_FOUND',
      });
  });

  it('when there are too many', async () => {
    await nexus.repository.modifyApp(1, (app) => ({
      ...app,
      domains: Array.from({ length: 100 }, (_, index) => `d${index}.example`),
    }));
    await expect(nexus.backend.addDomain('bakery', 'one.example')).rejects.toMatchObject({
      code: 'DOMAIN_INVALID',
      message: 'an app has at most 100 domains',
    });
  });
});

describe('a certificate of one’s own', () => {
  it('is used for the domain it is brought for', async () => {
    await nexus.backend.addDomain('bakery', 'shop.example');
    const privateKeyPem = makeKey();
    const chainPem = await nexus.authority.issue({ privateKeyPem, names: ['shop.example'] });
    const pair = { chainPem, privateKeyPem };
    const view = await nexus.backend.importCertificate('bakery', 'shop.example', pair);
    expect(view.certificate).toMatchObject({ state: 'valid', source: 'imported' });
    expect(JSON.stringify(view)).not.toContain('PRIVATE');
    const other = nexus.backend.importCertificate('bakery', 'bakery.localhost', pair);
    await expect(other).rejects.toMatchObject({ code: 'DOMAIN_NOT_FOUND' });
    const wrong = { ...pair, privateKeyPem: makeKey() };
    await expect(
      nexus.backend.importCertificate('bakery', 'shop.example', wrong),
    ).rejects.toMatchObject({ code: 'CERTIFICATE_INVALID' });
  });
});

describe('an app that is destroyed', () => {
  it('leaves its domains and certificates to nobody', async () => {
    await nexus.backend.addDomain('bakery', 'shop.example');
    await nexus.backend.destroyApp('bakery');
    await expect
      .poll(async () => (await nexus.certificates.domains()).map(({ host }) => host))
      .toEqual(['*.localhost']);
    await nexus.live('other');
    await nexus.backend.addDomain('other', 'shop.example');
    expect(await listed('other')).toHaveLength(2);
  });
});

describe('an agent that was killed', () => {
  it('between claim and certificate: the next one keeps a certificate', async () => {
    await nexus.backend.addDomain('bakery', 'shop.example');
    await nexus.repository.store.transact(
      [],
      [{ kind: 'delete', key: 'certificates/shop.example' }],
    );
    await nexus.kill();
    await nexus.open();
    await eventually(async () => (await stateOf('shop.example')) === 'valid');
  });

  it('between claim and forgetting: the next one forgets the certificate', async () => {
    await nexus.certificates.ensure('orphan.example');
    await nexus.kill();
    await nexus.open();
    const hosts = async () => (await nexus.certificates.domains()).map(({ host }) => host);
    await eventually(async () => !(await hosts()).includes('orphan.example'));
    await eventually(async () => (await hosts()).includes('*.localhost'));
  });
});

describe('with a port for HTTPS', () => {
  const SHOP = 'shop.example';
  const policies = (host: string) =>
    nexus.resolver.apps
      .get(1)
      ?.routes.filter((route) => route.host === host)
      .map(({ policy }) => policy);
  const envOfNext = async () => {
    const { deploy } = await nexus.backend.restart('bakery');
    await nexus.finished(deploy);
    return [...nexus.runner.specs.values()].at(-1)?.env ?? {};
  };

  beforeEach(async () => {
    await nexus.close();
    nexus = await NexusFixture.start({ httpsPort: 8443 });
    await nexus.live();
  });

  it('a host leads there once its certificate is trusted, and its own name does not', async () => {
    await nexus.backend.addDomain('bakery', SHOP);
    await eventually(async () => policies(SHOP)?.every(Boolean) ?? false);
    expect(policies(SHOP)).toEqual([{ redirectToHttps: { port: 8443 } }]);
    expect(policies('bakery.localhost')).toEqual([undefined]);
    expect((await nexus.backend.getApp('bakery')).urls).toEqual([
      'http://bakery.localhost:8080',
      'https://shop.example:8443',
    ]);
    expect((await nexus.backend.status()).urlTemplate).toBe('http://NAME.localhost:8080');
  });

  it('and does not while nobody signs it: then browsers may come either way', async () => {
    nexus.authority.before = async () => {
      throw new TandemError('DOMAIN_VALIDATION_FAILED', 'port 80 is closed');
    };
    await nexus.backend.addDomain('bakery', SHOP);
    await eventually(async () => (await stateOf(SHOP)) === 'failing');
    expect(policies(SHOP)).toEqual([undefined]);
    expect((await envOfNext())['TANDEM_ORIGINS']).toBe(
      [
        ...['http://bakery.localhost:8080', 'https://bakery.localhost:8443'],
        ...['http://shop.example:8080', 'https://shop.example:8443'],
      ].join(','),
    );
  });

  it('the app believes only what comes by HTTPS once that is what browsers do', async () => {
    await nexus.backend.addDomain('bakery', SHOP);
    await eventually(async () => policies(SHOP)?.every(Boolean) ?? false);
    const origins = (await envOfNext())['TANDEM_ORIGINS']?.split(',');
    expect(origins).toContain('https://shop.example:8443');
    expect(origins).not.toContain('http://shop.example:8080');
  });
});
