// The static server as the balancer uses it: a real nginx, unprivileged, behind its unix socket.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { brotliCompressSync, brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { prepareStaticServer } from '../../packages/platform/src/adapters/nginx/nginx-command.ts';
import { PLATFORM_UID, platformUid } from '../../packages/platform/src/domain/installation.ts';
import { pidStartTicks } from '../../packages/platform/src/lib/boot-id.ts';
import { runToExit } from '../../packages/platform/src/lib/run-command.ts';
import {
  keptStatic,
  layerMounts,
  pathsOf,
  staticSocket,
} from '../../packages/platform/src/ports/paths.ts';
import { ask, TestBalancer } from '../support/balancer-server.ts';

/** Only uids follow from it; another run of this test has others. */
const SLOT = 300 + (process.pid % 4_000);
const LAYER = 'a1'.repeat(32);
const NEXT_LAYER = 'b2'.repeat(32);
const root = await mkdtemp(join(tmpdir(), 'tandem-static-'));
const paths = pathsOf('t', { data: join(root, 'data'), run: join(root, 'run') });
let nginx: ChildProcess;

async function put(path: string, content: string | Buffer): Promise<void> {
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(path, content);
}

/** Resolves once this very process listens: the worker of a killed one still accepts for a moment. */
async function start(): Promise<ChildProcess> {
  const [file, ...args] = await prepareStaticServer({ slot: SLOT }, paths);
  const child = spawn(file, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  const pidFile = join(staticSocket(paths), '../nginx.pid');
  await vi.waitUntil(
    async () => Number(await readFile(pidFile, 'utf8').catch(() => '')) === child.pid,
    10_000,
  );
  return child;
}

beforeAll(async () => {
  await chmod(root, 0o755);
  const tree = join(layerMounts(paths), LAYER, 'static');
  await put(join(tree, 'app.css'), 'body{color:red}');
  await put(join(tree, 'big.css'), '/* */'.repeat(1_000));
  await put(join(tree, 'name with space.txt'), 'space');
  await put(join(tree, 'logo.0123456789ab.svg'), '<svg/>');
  await put(join(tree, 'packed.js'), 'unpacked');
  await put(join(tree, 'packed.js.gz'), gzipSync('packed'));
  await put(join(tree, 'deep/index.html'), 'index');
  await put(join(layerMounts(paths), LAYER, 'app/settings.py'), 'SECRET');
  await put(join(layerMounts(paths), NEXT_LAYER, 'static/app.css'), 'body{color:tan}');
  await put(join(root, 'outside.txt'), 'OUTSIDE');
  await symlink(join(root, 'outside.txt'), join(tree, 'link.txt'));
  await symlink('/etc', join(tree, 'etc'));
  await symlink('app.css', join(tree, 'inside-link.css'));
  await put(join(tree, 'style.css'), 'plain');
  await put(join(tree, 'style.css.br'), brotliCompressSync('brotli'));
  await put(join(tree, 'main.8c7e0f3a.chunk.js'), 'webpack');
  await put(join(tree, 'index-BxY1_z4Q.js'), 'vite');
  await put(join(tree, 'photo-20240101.jpg'), 'date');
  await put(join(tree, 'bootstrap-datepicker.js'), 'word');
  await put(join(tree, '.env'), 'SECRET');
  await put(join(tree, '.well-known/security.txt'), 'contact');
  await put(join(keptStatic(paths), '7', 'old.ffffffffffff.css'), 'old');
  nginx = await start();
});

afterAll(async () => {
  const gone = once(nginx, 'exit');
  nginx.kill('SIGTERM');
  await gone;
  await rm(root, { recursive: true, force: true });
});

async function childrenOf(pid: number): Promise<string[]> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return children.trim().split(' ');
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

const OURS = { 'X-Tandem-App': '7', 'X-Tandem-Layer': LAYER, 'X-Tandem-Directory': '/static' };

function get(path: string, headers: object = {}, method = 'GET'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request({
      socketPath: staticSocket(paths),
      path,
      method,
      headers: { ...OURS, ...headers } as NodeJS.Dict<string>,
    });
    asked.on('error', reject).on('response', (response) => {
      const chunks: Buffer[] = [];
      response
        .on('data', (chunk: Buffer) => chunks.push(chunk))
        .on('end', () => {
          const { statusCode = 0, headers } = response;
          resolve({ status: statusCode, headers, body: Buffer.concat(chunks) });
        });
    });
    asked.end();
  });
}

/** A balancer whose `/static/` leads here, for the time of `use`. */
async function throughBalancer(use: (port: number) => Promise<void>): Promise<void> {
  const balancer = new TestBalancer({ staticSocket: staticSocket(paths) });
  await balancer.listen();
  const target = { kind: 'static', layerSha256: LAYER, directory: '/static' } as const;
  balancer.route(target, { path: '/static/', appId: 7 });
  try {
    await use(balancer.port);
  } finally {
    await balancer.close();
  }
}

/** Bytes as a hostile client writes them; what node:http would not send. */
function sendRaw(head: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(staticSocket(paths));
    let text = '';
    socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
    socket.on('error', reject).on('end', () => resolve(text));
    const ours = Object.entries(OURS).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.write(`${head} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${ours.join('')}\r\n`);
  });
}

describe('the static server', () => {
  it('serves a file of the layer it is told, with its type and a short life', async () => {
    const answer = await get('/app.css');
    expect([answer.status, answer.body.toString()]).toEqual([200, 'body{color:red}']);
    expect(answer.headers).toMatchObject({
      'content-type': 'text/css; charset=utf-8',
      'cache-control': 'public, max-age=0, must-revalidate',
      'x-content-type-options': 'nosniff',
    });
    expect((await get('/name%20with%20space.txt')).body.toString()).toBe('space');
  });

  it('lets hashed names live long', async () => {
    const answer = await get('/logo.0123456789ab.svg');
    expect(answer.headers['cache-control']).toBe('public, max-age=31536000, immutable');
  });

  it('follows a switch to another layer without a reload', async () => {
    const answer = await get('/app.css', { 'X-Tandem-Layer': NEXT_LAYER });
    expect(answer.body.toString()).toBe('body{color:tan}');
  });

  it('validates by layer: equal size and time do not make equal files', async () => {
    const etag = String((await get('/app.css')).headers.etag);
    expect(etag).toBe(`W/"${LAYER.slice(0, 16)}"`);
    const again = await get('/app.css', { 'If-None-Match': `"other", ${etag}` });
    expect([again.status, again.body.length, again.headers.etag]).toEqual([304, 0, etag]);
    const next = { 'X-Tandem-Layer': NEXT_LAYER, 'If-None-Match': etag };
    expect((await get('/app.css', next)).status).toBe(200);
    const since = { 'If-Modified-Since': new Date().toUTCString() };
    expect((await get('/app.css', since)).status).toBe(200);
  });

  it('serves ranges and HEAD', async () => {
    const part = await get('/app.css', { Range: 'bytes=5-9' });
    expect([part.status, part.body.toString()]).toEqual([206, 'color']);
    expect(part.headers['content-range']).toBe('bytes 5-9/15');
    expect((await get('/app.css', { Range: 'bytes=99-' })).status).toBe(416);
    const head = await get('/app.css', {}, 'HEAD');
    expect([head.status, head.headers['content-length'], head.body.length]).toEqual([200, '15', 0]);
  });

  it('prefers a packed file, packs text itself, and plain is plain', async () => {
    const accept = { 'Accept-Encoding': 'gzip' };
    const packed = await get('/packed.js', accept);
    expect(packed.headers).toMatchObject({ 'content-encoding': 'gzip', vary: 'Accept-Encoding' });
    expect(gunzipSync(packed.body).toString()).toBe('packed');
    const text = await get('/big.css', accept);
    expect(gunzipSync(text.body).length).toBe(5_000);
    expect((await get('/packed.js')).body.toString()).toBe('unpacked');
  });

  it('gives what the project packed with Brotli to whoever takes it, under its own type', async () => {
    for (const accept of ['br', 'gzip, deflate, br', 'br;q=0.5, gzip']) {
      const answer = await get('/style.css', { 'Accept-Encoding': accept });
      expect(answer.headers).toMatchObject({
        ...{ 'content-encoding': 'br', 'content-type': 'text/css; charset=utf-8' },
        ...{ vary: 'Accept-Encoding', etag: `W/"${LAYER.slice(0, 16)}"` },
      });
      expect(brotliDecompressSync(answer.body).toString()).toBe('brotli');
    }
    for (const accept of ['gzip', 'br;q=0, gzip', 'sbr', '']) {
      const answer = await get('/style.css', { 'Accept-Encoding': accept });
      expect([answer.headers['content-encoding'], answer.body.toString()]).toEqual([
        undefined,
        'plain',
      ]);
    }
    expect((await get('/app.css', { 'Accept-Encoding': 'br' })).body.toString()).toContain('red');
  });

  it.each([
    ['/main.8c7e0f3a.chunk.js', 'public, max-age=31536000, immutable'],
    ['/index-BxY1_z4Q.js', 'public, max-age=31536000, immutable'],
    ['/photo-20240101.jpg', 'public, max-age=600'],
    ['/bootstrap-datepicker.js', 'public, max-age=600'],
  ])(
    'takes a hash for a hash, and keeps the rest as long as it is told: %s',
    async (path, life) => {
      expect((await get(path, { 'X-Tandem-Expires': '600' })).headers['cache-control']).toBe(life);
    },
  );

  it('keeps hidden files to itself, but for well-known ones', async () => {
    expect((await get('/.env')).status).toBe(404);
    expect((await get('/.well-known/security.txt')).body.toString()).toBe('contact');
  });

  it('falls back to the kept tree of the app, and of no other', async () => {
    expect((await get('/old.ffffffffffff.css')).body.toString()).toBe('old');
    expect((await get('/old.ffffffffffff.css', { 'X-Tandem-App': '8' })).status).toBe(404);
  });

  it('says 404 with a page of its own, and lists no directory', async () => {
    for (const path of ['/none.css', '/', '/deep', '/deep/', '/deep/none']) {
      const answer = await get(path);
      expect([path, answer.status]).toEqual([path, 404]);
      expect(answer.body.toString()).toContain('No such file');
      expect(answer.headers['content-type']).toContain('text/html');
      expect(answer.headers['cache-control']).toBe('no-store');
    }
  });

  it('answers GET and HEAD only', async () => {
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'])
      expect((await get('/app.css', {}, method)).status).toBe(405);
  });

  it.each([
    '/../app/settings.py',
    '/%2e%2e/app/settings.py',
    '/..%2fapp/settings.py',
    '/deep/../../app/settings.py',
    '/%2e%2e%2f%2e%2e%2fapp%2fsettings.py',
    '/..\\app\\settings.py',
    '/app.css%00.txt',
    '//etc/passwd',
    '/etc/passwd',
    '/link.txt',
    '/inside-link.css',
    '/deep/./../../../outside.txt',
    '/app.css/',
  ])('gives nothing for %s', async (path) => {
    const text = await sendRaw(`GET ${path}`);
    expect(text).toMatch(/^HTTP\/1\.1 4\d\d /);
    expect(text).not.toMatch(/SECRET|OUTSIDE|root:/);
  });

  it.each([
    ['no layer', { 'X-Tandem-Layer': '' }],
    ['a short layer', { 'X-Tandem-Layer': 'a1' }],
    ['a layer that climbs', { 'X-Tandem-Layer': `../${LAYER.slice(3)}` }],
    ['a directory that climbs', { 'X-Tandem-Directory': '/../' }],
    ['a hidden climb', { 'X-Tandem-Directory': '/static/../app' }],
    ['the whole layer', { 'X-Tandem-Directory': '/' }],
    ['no directory', { 'X-Tandem-Directory': '' }],
    ['an app that climbs', { 'X-Tandem-App': '../7', 'X-Tandem-Layer': '' }],
  ])('takes no %s', async (_, headers) => {
    for (const path of ['/app.css', '/settings.py', '/app/settings.py', '/old.ffffffffffff.css'])
      if (!(path.startsWith('/old') && !('X-Tandem-App' in headers)))
        expect((await get(path, headers)).status).toBe(404);
  });

  it('answers through the balancer, whatever headers the client brings', async () => {
    await throughBalancer(async (port) => {
      const hostile = { 'X-Tandem-Layer': NEXT_LAYER, X_Tandem_Layer: NEXT_LAYER };
      const answer = await ask(port, { path: '/static/app.css?v=1', headers: hostile });
      expect([answer.status, answer.body]).toEqual([200, 'body{color:red}']);
      const { etag = '' } = answer.headers;
      const again = await ask(port, {
        path: '/static/app.css',
        headers: { 'If-None-Match': etag },
      });
      expect([again.status, again.body]).toEqual([304, '']);
      const part = await ask(port, { path: '/static/app.css', headers: { Range: 'bytes=0-3' } });
      expect([part.status, part.body]).toEqual([206, 'body']);
      expect(await ask(port, { path: '/static/app.css', method: 'HEAD' })).toMatchObject({
        ...{ status: 200, body: '' },
      });
      const post = await ask(port, { path: '/static/app.css', method: 'POST', body: 'x' });
      expect([post.status, post.headers.allow]).toEqual([405, 'GET, HEAD']);
      for (const path of ['/static/../app/settings.py', '/static/%2e%2e/app/settings.py'])
        expect((await ask(port, { path })).body).not.toContain('SECRET');
    });
  });

  it('never sees the body of a request, so nothing can hide in it', async () => {
    await throughBalancer(async (port) => {
      const body = `GET /app.css HTTP/1.1\r\nHost: x\r\nX-Tandem-Layer: ${NEXT_LAYER}\r\n\r\n`;
      const path = '/static/app.css';
      for (let n = 0; n < 3; n += 1)
        expect((await ask(port, { path, body })).body).toBe('body{color:red}');
    });
  });

  it('may restart under requests through the balancer: none fails', async () => {
    await throughBalancer(async (port) => {
      let stop = false;
      const statuses = new Set<number>();
      const client = async (): Promise<void> => {
        while (!stop) statuses.add((await ask(port, { path: '/static/app.css' })).status);
      };
      const clients = Array.from({ length: 8 }, client);
      for (const signal of ['SIGKILL', 'SIGQUIT'] as const) {
        const gone = once(nginx, 'exit');
        nginx.kill(signal);
        await gone;
        nginx = await start();
        await sleep(100);
      }
      stop = true;
      await Promise.all(clients);
      expect([...statuses]).toEqual([200]);
    });
  });

  it('is reached by the balancer and by nobody else', async () => {
    const socket = staticSocket(paths);
    const knock = `import socket,sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])`;
    const tryAs = async (id: number): Promise<number> => {
      const as = ['-u', String(id), '-g', String(id), '-G', ''];
      const python = ['/usr/bin/python3', '-c', knock, socket];
      return (await runToExit(['s6-applyuidgid', ...as, ...python], { timeoutMs: 10_000 }))
        .exitCode;
    };
    expect(await tryAs(platformUid(SLOT, PLATFORM_UID.balancer))).toBe(0);
    expect(await tryAs(platformUid(SLOT, 1_000))).not.toBe(0);
    expect(await tryAs(65_534)).not.toBe(0);
  });

  it('runs without privileges', async () => {
    const owner = await stat(`/proc/${nginx.pid}`);
    expect(owner.uid).toBe(platformUid(SLOT, PLATFORM_UID.staticServer));
  });

  it.each(['SIGKILL', 'SIGQUIT', 'SIGTERM'] as const)(
    'starts again after %s and leaves no worker behind',
    async (signal) => {
      const [worker] = await childrenOf(nginx.pid ?? 0);
      const gone = once(nginx, 'exit');
      nginx.kill(signal);
      await gone;
      nginx = await start();
      expect((await get('/app.css')).status).toBe(200);
      await vi.waitUntil(async () => (await pidStartTicks(Number(worker))) === undefined, 5_000);
    },
  );
});
