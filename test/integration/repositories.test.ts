// A requirement from a repository behind a password, fetched by the real git: what is said when it
// cannot be, and that the credentials of the hint let it in.
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, normalize } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { causeOfInstall } from '../../packages/platform/src/builder/diagnosis/explain-install.ts';
import { runCommand, runToExit } from '../../packages/platform/src/lib/run-command.ts';
import { UV_PATH } from '../support/builder-fixture.ts';

const CREDENTIALS = 'me:s3cret';
let root: string;
let server: Server;
let port: number;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'tandem-repository-'));
  await makeRepository(join(root, 'own'));
  const wanted = `Basic ${Buffer.from(CREDENTIALS).toString('base64')}`;
  server = createServer((request, response) => {
    const path = normalize((request.url ?? '').split('?')[0] ?? '');
    if (request.headers.authorization !== wanted) {
      response.writeHead(401, { 'www-authenticate': 'Basic' }).end();
      return;
    }
    readFile(join(root, path)).then(
      (content) => response.end(content),
      () => response.writeHead(404).end(),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  ({ port } = server.address() as AddressInfo);
});
afterAll(async () => {
  server.close();
  await rm(root, { recursive: true });
});

/** As a plain web server may hold one: without a program behind it. */
async function makeRepository(directory: string): Promise<void> {
  await mkdir(directory);
  await writeFile(
    join(directory, 'pyproject.toml'),
    '[project]\nname = "own"\nversion = "1.0"\ndependencies = []\n',
  );
  const git = (...args: string[]) =>
    runCommand(['git', '-C', directory, ...args], { timeoutMs: 10_000 });
  await git('init', '--quiet', '--initial-branch=main');
  await git('add', '.');
  await git('-c', 'user.name=t', '-c', 'user.email=t@localhost', 'commit', '--quiet', '-mx');
  await git('update-server-info');
}

async function resolve(reference: string, env: Record<string, string> = {}, at = port) {
  const text = `own @ git+http://127.0.0.1:${at}/own/.git${reference}`;
  await writeFile(join(root, 'requirements.txt'), `${text}\n`);
  const argv = [UV_PATH, 'pip', 'compile', 'requirements.txt', '--python', '/usr/bin/python3'];
  const result = await runToExit(argv as [string, ...string[]], {
    timeoutMs: 60_000,
    cwd: root,
    env: {
      PATH: '/usr/bin:/bin',
      HOME: root,
      UV_CACHE_DIR: join(root, 'cache'),
      UV_PYTHON_DOWNLOADS: 'never',
      GIT_TERMINAL_PROMPT: '0',
      ...env,
    },
  });
  const lines = [{ name: 'own', text, evidence: 'requirements.txt:1' }];
  const logTail = result.stdout + result.stderr;
  return { code: result.exitCode, cause: causeOfInstall({ logTail, file: 'x', lines }), logTail };
}

/** What the hint tells to set, with the user's own words in it. */
function configOf(hint: string | undefined): Record<string, string> {
  const pairs = [...(hint ?? '').matchAll(/(GIT_CONFIG_\w+)=(\S+)/g)];
  return Object.fromEntries(
    pairs.map(([, key = '', value = '']) => [key, value.replace('USER:TOKEN', CREDENTIALS)]),
  );
}

describe('a repository that cannot be fetched', () => {
  it('wants a password, which the config of the hint gives', async () => {
    const refused = await resolve('');
    expect(refused.cause).toMatchObject({
      code: 'REPOSITORY_UNREACHABLE',
      where: 'requirements.txt:1',
      message: expect.stringContaining('does not let us in') as string,
    });
    // The hint names https, as hosts of repositories have it.
    const config = configOf(refused.cause.hint?.replace('url.https:', 'url.http:'));
    const { code, logTail } = await resolve('', config);
    expect(logTail).toContain('own @ git+http');
    expect(code).toBe(0);
    const missing = await resolve('@v9', config);
    expect(missing.cause.message).toContain('which has no v9');
    expect(missing.logTail).not.toContain('s3cret');
  });

  it('does not answer', async () => {
    const { cause } = await resolve('', {}, 9);
    expect(cause.code).toBe('REPOSITORY_UNREACHABLE');
    expect(cause.message).toContain('127.0.0.1:9 did not answer: Failed to connect');
  });
});
