// A package index that wants a password, asked by the resolver as the builder asks it: variables in
// the files, addresses in the environment only.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { privateIndexes } from '../../packages/platform/src/builder/steps/private-indexes.ts';
import { causeOfInstall } from '../../packages/platform/src/builder/diagnosis/explain-install.ts';
import { runCommand, runToExit } from '../../packages/platform/src/lib/run-command.ts';
import { UV_PATH } from '../support/builder-fixture.ts';

const WHEEL = 'ourlib-1.0-py3-none-any.whl';
const USER = 'me';
const PASSWORD = 's3cr@t';
let root: string;
let server: Server;
let address: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'tandem-index-'));
  const wheel = await makeWheel();
  const digest = createHash('sha256').update(wheel).digest('hex');
  const wanted = `Basic ${Buffer.from(`${USER}:${PASSWORD}`).toString('base64')}`;
  server = createServer((request, response) => {
    if (request.headers.authorization !== wanted) {
      response.writeHead(401, { 'www-authenticate': 'Basic' }).end();
    } else if (request.url === '/simple/ourlib/') {
      response.setHeader('content-type', 'text/html');
      response.end(`<a href="/${WHEEL}#sha256=${digest}">${WHEEL}</a>`);
    } else if (request.url === `/${WHEEL}`) response.end(wheel);
    else response.writeHead(404).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/simple`;
});
afterAll(async () => {
  server.close();
  await rm(root, { recursive: true });
});

async function makeWheel(): Promise<Buffer> {
  const path = join(root, WHEEL);
  const info = 'ourlib-1.0.dist-info';
  const script = `
import zipfile
with zipfile.ZipFile(${JSON.stringify(path)}, "w") as wheel:
    wheel.writestr("ourlib.py", "X = 1\\n")
    wheel.writestr("${info}/METADATA", "Metadata-Version: 2.1\\nName: ourlib\\nVersion: 1.0\\n")
    wheel.writestr("${info}/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
    wheel.writestr("${info}/RECORD", "ourlib.py,,\\n${info}/METADATA,,\\n${info}/WHEEL,,\\n${info}/RECORD,,\\n")
`;
  await runCommand(['/usr/bin/python3', '-c', script], { timeoutMs: 10_000 });
  return await readFile(path);
}

const withUser = (password: string): string =>
  address.replace('://', `://${USER}:${encodeURIComponent(password)}@`);

async function resolve(password: string) {
  const indexes = privateIndexes({ PIP_EXTRA_INDEX_URL: withUser(password) }, []);
  await writeFile(join(root, 'input.in'), `${indexes.lines.join('\n')}\nourlib\n`);
  const argv = [UV_PATH, 'pip', 'compile', 'input.in', '--generate-hashes', '--emit-index-url'];
  const options = ['--python', '/usr/bin/python3', '--quiet', '--output-file', 'lock.txt'];
  return await runToExit([...argv, ...options] as [string, ...string[]], {
    timeoutMs: 60_000,
    cwd: root,
    env: {
      PATH: '/usr/bin:/bin',
      HOME: root,
      UV_CACHE_DIR: join(root, 'cache'),
      UV_PYTHON_DOWNLOADS: 'never',
      // The other index must not be asked for what this one has.
      UV_DEFAULT_INDEX: 'http://127.0.0.1:9/simple',
      ...indexes.env,
    },
  });
}

describe('a private index of the config', () => {
  it('is asked with its password, which no lock and no output holds', async () => {
    const { exitCode, stdout, stderr } = await resolve(PASSWORD);
    expect(stderr).toBe('');
    expect(exitCode).toBe(0);
    const lock = await readFile(join(root, 'lock.txt'), 'utf8');
    expect(lock).toContain('--extra-index-url ${TANDEM_INDEX_0}');
    expect(lock).toContain('ourlib==1.0');
    expect([lock, stdout, stderr].join()).not.toContain(encodeURIComponent(PASSWORD));
  });

  it('that refuses us is named, without the password', async () => {
    await rm(join(root, 'lock.txt'), { force: true });
    await rm(join(root, 'cache'), { recursive: true, force: true });
    const { exitCode, stderr } = await resolve('wrong-one');
    expect(exitCode).not.toBe(0);
    const cause = causeOfInstall({ logTail: stderr, file: 'requirements.txt', lines: [] });
    expect(cause).toMatchObject({
      code: 'REGISTRY_UNREACHABLE',
      message: expect.stringContaining(
        `The package index ${new URL(address).host} refuses us`,
      ) as string,
    });
    expect(stderr + JSON.stringify(cause)).not.toContain('wrong-one');
  });
});
