// Sites of files and uploads, as the static server answers them.
import { chmod, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, TestBalancer } from '../support/balancer-server.ts';
import { StaticServerFixture } from '../support/static-server.ts';

/** Only uids follow from it; another run of this test has others. */
const server = await StaticServerFixture.open(300 + (process.pid % 4_000));
const { paths, socket } = server;
const put = (path: string, content: string) => server.put(path, content);

beforeAll(() => server.start());
afterAll(() => server.close());

describe('a site of files', () => {
  const SITE = 'c3'.repeat(32);
  const site = (path: string, headers = {}) =>
    server.get(path, {
      ...{
        'X-Tandem-App': '7',
        'X-Tandem-Layer': SITE,
        'X-Tandem-Directory': '/app',
        'X-Tandem-Site': '1',
      },
      ...headers,
    });
  const at = (path: string) => server.inLayer(SITE, join('app', path));

  beforeAll(async () => {
    await put(at('index.html'), 'home');
    await put(at('docs/index.html'), 'docs');
    await put(at('about.html'), 'about');
    await put(at('tandem.toml'), 'SECRET');
    await symlink('/etc', at('etc'));
  });

  it.each([
    ['/', 'home'],
    ['/index.html', 'home'],
    ['/docs/', 'docs'],
    ['/about', 'about'],
  ])('answers %s', async (path, body) => {
    const answer = await site(path);
    expect([answer.status, answer.body.toString()]).toEqual([200, body]);
    expect(answer.headers['content-type']).toBe('text/html; charset=utf-8');
  });

  it('sends a directory to its slash, with the query', async () => {
    const answer = await site('/docs?a=1');
    expect([answer.status, answer.headers.location]).toEqual([301, '/docs/?a=1']);
  });

  it('has our page for what is missing, else its own, with the same status', async () => {
    const ours = await site('/none');
    expect([ours.status, ours.body.toString().includes('No such file')]).toEqual([404, true]);
    await put(at('404.html'), 'own page');
    const own = await site('/none/deep');
    expect([own.status, own.body.toString()]).toEqual([404, 'own page']);
  });

  it.each(['/tandem.toml', '/etc/passwd', '/etc/', '/../app/index.html', '/.git/config'])(
    'gives nothing for %s',
    async (path) => {
      const answer = await site(path);
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(answer.body.toString()).not.toMatch(/SECRET|root:/);
    },
  );
});

describe('a site whose pages are made in the browser', () => {
  const SITE = 'c4'.repeat(32);
  const page = (path: string, headers = {}) =>
    server.get(path, {
      'X-Tandem-App': '7',
      'X-Tandem-Layer': SITE,
      'X-Tandem-Directory': '/app/dist',
      'X-Tandem-Site': 'single-page',
      ...headers,
    });

  beforeAll(async () => {
    await put(server.inLayer(SITE, 'app/dist/index.html'), 'the page');
    await put(server.inLayer(SITE, 'app/dist/about.html'), 'about');
    await put(server.inLayer(SITE, 'app/dist/assets/app.js'), 'script');
  });

  it.each([
    ['/', 'the page'],
    ['/orders/42', 'the page'],
    ['/orders/42/', 'the page'],
    ['/assets/', 'the page'],
    ['/v1.2/notes', 'the page'],
    ['/about', 'about'],
    ['/assets/app.js', 'script'],
  ])('answers %s', async (path, body) => {
    const answer = await page(path);
    expect([answer.status, answer.body.toString()]).toEqual([200, body]);
  });

  it('has its page validated like any other', async () => {
    const { headers } = await page('/orders/42');
    expect(headers['content-type']).toBe('text/html; charset=utf-8');
    expect(headers['cache-control']).toBe('public, max-age=0, must-revalidate');
    expect((await page('/orders/42', { 'If-None-Match': headers.etag })).status).toBe(304);
  });

  it.each(['/assets/gone.js', '/robots.txt', '/.env', '/orders/.git/config'])(
    'has no %s',
    async (path) => {
      expect((await page(path)).status).toBe(404);
    },
  );
});

describe('uploads', () => {
  const top = () => join(paths.run, 'volumes/7');
  const upload = (path: string, headers = {}) =>
    server.get(path, { 'X-Tandem-App': '7', 'X-Tandem-Volume': 'app+media', ...headers });

  beforeAll(async () => {
    await put(join(top(), 'app+media/photo.png'), 'png');
    await put(join(top(), 'app+media/evil.html'), '<script>alert(1)</script>');
    await put(join(top(), 'app+media/evil.svg'), '<svg/>');
    await put(join(top(), 'app+media/evil.xhtml'), '<html/>');
    await put(join(top(), 'app+media/paper.pdf'), 'pdf');
    await put(join(top(), 'app+media/unknown'), 'unknown');
    await put(join(top(), 'app+instance/up/a.png'), 'deep');
    await put(join(top(), 'app+logs/secret.log'), 'SECRET');
    await symlink('../app+logs/secret.log', join(top(), 'app+media/link.txt'));
    await symlink('../app+logs', join(top(), 'app+media/logs'));
    await symlink('/etc/passwd', join(top(), 'app+media/passwd.txt'));
    await symlink('../app+logs', join(top(), 'app+instance/planted'));
    for (const path of ['', 'volumes', 'volumes/7']) await chmod(join(paths.run, path), 0o711);
  });

  it('come from the volume, also from a directory within one of its own', async () => {
    const answer = await upload('/photo.png');
    expect([answer.status, answer.body.toString()]).toEqual([200, 'png']);
    expect(answer.headers).toMatchObject({
      'content-type': 'image/png',
      'x-content-type-options': 'nosniff',
      'cache-control': 'public, max-age=0, must-revalidate',
    });
    expect(answer.headers['content-disposition']).toBeUndefined();
    const deep = await upload('/a.png', { 'X-Tandem-Volume': 'app+instance/up' });
    expect(deep.body.toString()).toBe('deep');
  });

  it.each(['evil.html', 'evil.svg', 'evil.xhtml', 'unknown'])(
    'that may run a script are downloaded, and have no origin: %s',
    async (name) => {
      const { headers } = await upload(`/${name}`);
      expect(headers).toMatchObject({
        'content-disposition': 'attachment',
        'x-content-type-options': 'nosniff',
      });
      expect(headers['content-security-policy']).toMatch(/default-src 'none'.*; sandbox$/);
    },
  );

  it('that cannot are shown', async () => {
    const { headers } = await upload('/paper.pdf');
    expect(headers['content-disposition'] ?? headers['content-security-policy']).toBeUndefined();
  });

  it('are validated by themselves: what is uploaded again is new', async () => {
    const { headers } = await upload('/photo.png');
    const again = await upload('/photo.png', { 'If-None-Match': headers.etag });
    expect(again.status).toBe(304);
    await put(join(top(), 'app+media/photo.png'), 'another');
    const next = await upload('/photo.png', { 'If-None-Match': headers.etag });
    expect([next.status, next.body.toString()]).toEqual([200, 'another']);
  });

  it.each([
    ['/link.txt', 'app+media'],
    ['/logs/secret.log', 'app+media'],
    ['/passwd.txt', 'app+media'],
    ['/secret.log', 'app+instance/planted'],
    ['/../app+logs/secret.log', 'app+media'],
    ['/%2e%2e/app+logs/secret.log', 'app+media'],
    ['/secret.log', '../7/app+logs'],
    ['/secret.log', 'app+media/../app+logs'],
    ['/none.png', 'app+media'],
    ['/', 'app+media'],
    ['/app+logs/secret.log', '/'],
    ['/app+logs/secret.log', '.'],
  ])('lead nowhere else: %s in %s', async (path, volume) => {
    const answer = await upload(path, { 'X-Tandem-Volume': volume });
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.body.toString()).not.toMatch(/SECRET|root:/);
  });

  it('are answered through the balancer, by prefix', async () => {
    const balancer = new TestBalancer({ staticSocket: socket });
    await balancer.listen();
    balancer.route({ kind: 'volume', directory: 'app+media' }, { path: '/media/', appId: 7 });
    try {
      const answer = await ask(balancer.port, { path: '/media/evil.html?x' });
      expect([answer.status, answer.headers['content-disposition']]).toEqual([200, 'attachment']);
    } finally {
      await balancer.close();
    }
  });
});
