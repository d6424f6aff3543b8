import { createServer } from 'node:net';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkPrograms } from './program-checks.ts';
import {
  checkDisk,
  checkMemory,
  checkNameservers,
  checkPort,
  nameserversIn,
} from './resource-checks.ts';

describe('examination of the machine', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'tandem-doctor-'));
  });
  afterEach(async () => {
    await rm(directory, { recursive: true });
  });

  it('says which programs are missing and which package brings them', async () => {
    const checks = await checkPrograms(directory);
    const crun = checks.find(({ name }) => name === 'crun');
    expect(crun).toMatchObject({ state: 'failed', fix: 'apt-get install crun' });
    expect(checks.find(({ name }) => name === 'uv')?.fix).toBe('script/bootstrap');
  });

  it('finds a program only where it can be executed', async () => {
    await writeFile(join(directory, 'crun'), '', { mode: 0o644 });
    await writeFile(join(directory, 'conmon'), '', { mode: 0o755 });
    const names = (await checkPrograms(directory)).map(({ name }) => name);
    expect(names).toContain('crun');
    expect(names).not.toContain('conmon');
  });

  it('tells a port in use from a free one', async () => {
    const server = createServer().listen(0, '::');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    expect(await checkPort(port)).toMatchObject({ state: 'failed' });
    server.close();
    await once(server, 'close');
    expect(await checkPort(port)).toMatchObject({ state: 'ok' });
  });

  it('fails a resolv.conf without servers, and one whose only server is silent', async () => {
    const path = join(directory, 'resolv.conf');
    await writeFile(path, '# nameserver 192.0.2.1\nsearch example\n');
    expect(await checkNameservers(path)).toMatchObject({ state: 'failed' });
    await writeFile(path, 'nameserver 127.0.0.199\n');
    expect(await checkNameservers(path)).toMatchObject({ state: 'failed' });
    expect(await checkNameservers(join(directory, 'absent'))).toMatchObject({ state: 'failed' });
  });

  it('reads servers with a zone', () => {
    expect(nameserversIn('nameserver fe80::1%eth0\n  nameserver\t127.0.0.53 # stub\n')).toEqual([
      'fe80::1%eth0',
      '127.0.0.53',
    ]);
  });

  it('measures disk and memory', async () => {
    expect((await checkDisk(directory)).detail).toMatch(/GiB free/);
    expect((await checkMemory()).detail).toMatch(/GiB available/);
  });
});
