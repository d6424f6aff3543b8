import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createNpmRegistry } from './npm-registry.ts';

const ARCHIVE = Buffer.from('an archive');
const DAY_MS = 86_400_000;
let server: Server;
let directory: string;
let url: string;
let requests: string[];
let archive: Buffer;
let status: number;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tandem-registry-'));
  requests = [];
  archive = ARCHIVE;
  status = 200;
  server = createServer((request, response) => {
    requests.push(request.url ?? '');
    response.statusCode = status;
    response.end(request.url?.endsWith('.tgz') ? archive : JSON.stringify(documentOf()));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  server.close();
  server.closeAllConnections();
  await rm(directory, { recursive: true });
});

function documentOf() {
  const integrity = `sha512-${createHash('sha512').update(ARCHIVE).digest('base64')}`;
  const dist = { tarball: `${url}/tool-1.2.0.tgz`, integrity };
  return {
    versions: {
      '1.2.0': { engines: { node: '>=18' }, dist },
      '0.1.0': { engines: ['node >= 0.4'], dist: { tarball: dist.tarball } },
    },
  };
}
const registry = (now = Date.now()) =>
  createNpmRegistry({ url, cacheDirectory: join(directory, 'cache'), now: () => now });
const file = (): string => join(directory, 'tool.tgz');
const download = (version = '1.2.0') =>
  registry().download('tool', version, file(), AbortSignal.timeout(5_000));

describe('versions', () => {
  it('says what each wants, also where that is written in an old way', async () => {
    expect(await registry().versions('tool')).toEqual({
      '1.2.0': { node: '>=18' },
      '0.1.0': { node: undefined },
    });
    await registry().versions('@scope/tool');
    expect(requests).toContain('/@scope%2Ftool');
  });

  it('asks again only after days, and then does without an answer', async () => {
    await registry().versions('tool');
    await registry().versions('tool');
    expect(requests).toHaveLength(1);
    status = 500;
    expect(await registry(Date.now() + 10 * DAY_MS).versions('tool')).toHaveProperty('1.2.0');
    expect(requests.length).toBeGreaterThan(1);
  });

  it('fails when it was never read', async () => {
    status = 503;
    await expect(registry().versions('tool')).rejects.toMatchObject({
      code: 'REGISTRY_UNREACHABLE',
      where: url,
    });
  });
});

describe('download', () => {
  it('writes what the registry vouches for', async () => {
    await download();
    expect(await readFile(file())).toEqual(ARCHIVE);
  });

  it('takes nothing else, and leaves nothing', async () => {
    archive = Buffer.from('a changed one');
    await expect(download()).rejects.toMatchObject({
      code: 'REGISTRY_UNREACHABLE',
      message: expect.stringContaining('not what the registry says') as string,
    });
    expect(await readdir(directory)).toEqual(['cache']);
  });

  it('takes nothing that has no strong hash, or does not exist', async () => {
    for (const version of ['0.1.0', '9.9.9']) {
      await expect(download(version)).rejects.toMatchObject({ code: 'REGISTRY_UNREACHABLE' });
    }
  });
});
