// An interpreter that the machine lacks, fetched by uv from a server on loopback: an archive of one
// that the machine has, under a number of its own.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listInterpreters } from '../../packages/platform/src/adapters/interpreters/list-interpreters.ts';
import { createSquashfsImageStore } from '../../packages/platform/src/adapters/squashfs/squashfs-image-store.ts';
import { STACK_FACTS } from '../../packages/platform/src/adapters/stacks/recipe.ts';
import { interpretersOf } from '../../packages/platform/src/daemons/agent/interpreters.ts';
import { runCommand } from '../../packages/platform/src/lib/run-command.ts';
import { pathsOf } from '../../packages/platform/src/ports/paths.ts';
import { UV_PATH } from '../support/builder-fixture.ts';

let root: string;
let server: Server;
let address: string;
let version: string;
let requests = 0;

beforeAll(async () => {
  root = await mkdtemp('/var/tmp/tandem-fetched-');
  const archive = await makeArchive();
  server = createServer((request, response) => {
    requests += 1;
    if (request.url === '/python.tar.gz') createReadStream(archive).pipe(response);
    else response.writeHead(404).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const digest = createHash('sha256')
    .update(await readFile(archive))
    .digest('hex');
  await describeDownload('python.json', `${address}/python.tar.gz`, digest);
  await describeDownload('unreachable.json', 'http://127.0.0.1:9/python.tar.gz', digest);
  await describeDownload('changed.json', `${address}/python.tar.gz`, '0'.repeat(64));
});
afterAll(async () => {
  server.close();
  await rm(root, { recursive: true });
});

/** As python-build-standalone packs it: everything below `python/`. */
async function makeArchive(): Promise<string> {
  const search = {
    pyenvRoots: [process.env['PYENV_ROOT'] ?? join(homedir(), '.pyenv')],
    uvRoots: [join(homedir(), '.local/share/uv/python')],
    stack: STACK_FACTS,
  };
  const own = (await listInterpreters(search)).find(({ source }) => source !== 'stack');
  if (own === undefined)
    throw new Error('this machine has no interpreter beside that of the stack');
  ({ version } = own);
  const archive = join(root, 'python.tar.gz');
  const leftOut = ['test', 'tests', 'site-packages', '__pycache__', '*.a', 'share', 'idlelib'];
  const exclude = leftOut.map((name) => `--exclude=${name}`);
  const rename = ['--transform', 's,^\\.,python,'];
  const argv = ['tar', '-C', own.prefix, ...exclude, ...rename, '-czf', archive, '.'] as const;
  await runCommand([...argv], { timeoutMs: 120_000 });
  return archive;
}

/** What uv knows of its downloads, in a file of ours. */
async function describeDownload(name: string, url: string, sha256: string): Promise<void> {
  const [major, minor, patch] = version.split('.').map(Number);
  const family = process.arch === 'arm64' ? 'aarch64' : 'x86_64';
  const key = `cpython-${version}-linux-${family}-gnu`;
  const download = {
    name: 'cpython',
    arch: { family, variant: null },
    os: 'linux',
    libc: 'gnu',
    ...{ major, minor, patch, prerelease: '', url, sha256, variant: null, build: null },
  };
  await writeFile(join(root, name), JSON.stringify({ [key]: download }));
}

async function supply(downloads: string) {
  const base = await mkdtemp(join(root, 'platform-'));
  const paths = pathsOf('test', { data: join(base, 'data'), run: join(base, 'run') });
  const [files, mounts] = [join(base, 'files'), join(base, 'mounts')];
  for (const path of [files, mounts]) await mkdir(path);
  const imageStore = createSquashfsImageStore({ files, mounts });
  // Nothing of the machine but what is fetched.
  const environment = { HOME: base, UV_PYTHON_DOWNLOADS_JSON_URL: join(root, downloads) };
  const options = { imageStore, paths, environment, uvPath: UV_PATH };
  return { ...(await interpretersOf(options)), again: () => interpretersOf(options), files };
}

describe('an interpreter that the machine lacks', () => {
  it('is fetched, packed, and there from then on', async () => {
    const { interpreters, fetchInterpreter, again, files } = await supply('python.json');
    expect(interpreters.map((one) => one.version)).not.toContain(version);
    const series = version.split('.').slice(0, 2).join('.');
    const fetched = await fetchInterpreter(series);
    expect(fetched).toMatchObject({ version, executable: `/opt/python/bin/python${series}` });
    expect(interpreters).toContain(fetched);
    const layer = await fetched.layer();
    expect((await readdir(files)).join()).toContain(layer?.sha256);
    const before = requests;
    const later = await again();
    expect(later.interpreters.map((one) => one.version)).toContain(version);
    expect(await fetchInterpreter(series)).toBe(fetched);
    expect(requests).toBe(before);
  });

  it.each([
    ['unreachable.json', 'A download was tried from 127.0.0.1:9'],
    ['changed.json', 'it is not the file whose digest uv knows'],
  ])('is not when it cannot be had: %s', async (downloads, message) => {
    const { fetchInterpreter, interpreters } = await supply(downloads);
    const known = interpreters.length;
    const beganMs = performance.now();
    await expect(fetchInterpreter(version)).rejects.toMatchObject({
      code: 'PYTHON_UNAVAILABLE',
      message: expect.stringContaining(message) as string,
    });
    expect(performance.now() - beganMs).toBeLessThan(15_000);
    expect(interpreters).toHaveLength(known);
  });

  it('is not when nobody built it', async () => {
    const { fetchInterpreter } = await supply('python.json');
    await expect(fetchInterpreter('3.99')).rejects.toMatchObject({
      code: 'PYTHON_UNAVAILABLE',
      message: expect.stringContaining('A download was looked for') as string,
    });
  });
});
