// Stacks from real packages. What is checked in them is in the machine's cache already, or is built.
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import {
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  ensureStack,
  findStack,
} from '../../packages/platform/src/adapters/stacks/ensure-stack.ts';
import { MOUNT_POINTS } from '../../packages/platform/src/adapters/stacks/finish-tree.ts';
import { recipeHash, type StackKind } from '../../packages/platform/src/adapters/stacks/recipe.ts';
import { withFileLock } from '../../packages/platform/src/lib/file-lock.ts';
import { runCommand } from '../../packages/platform/src/lib/run-command.ts';
import { exitOf, runTypeScript, type Script } from '../support/run-typescript.ts';

const CACHE = '/var/cache/tandem/stacks';
const BUILDER = join(import.meta.dirname, '../support/stack-builder.ts');
const run = (...argv: [string, ...string[]]) => runCommand(argv, { timeoutMs: 60_000 });
const TEST_ALL = process.env['TANDEM_TEST_ALL'] === '1';
const KINDS: readonly StackKind[] = [
  'base',
  'postgresql',
  'redis',
  ...(TEST_ALL ? (['build'] as const) : []),
];

describe.each(KINDS)('stack %s', (kind) => {
  let directory: string;
  let root: string;

  beforeAll(async () => {
    const stack = await ensureStack(kind, { cacheDirectory: CACHE });
    directory = await mkdtemp('/var/tmp/tandem-stack-');
    root = join(directory, 'root');
    await mkdir(root);
    await run('mount', '-o', 'loop,ro,nosuid,nodev', stack.file, root);
  });
  afterAll(async () => {
    await run('umount', root);
    await rm(directory, { recursive: true });
  });

  const inside = async (...argv: string[]): Promise<string> =>
    (await run('chroot', root, ...argv)).stdout.trim();

  it('has every place that something is mounted at', async () => {
    for (const path of MOUNT_POINTS)
      expect((await lstat(join(root, path))).isDirectory()).toBe(true);
    const files = ['hosts', 'hostname', 'resolv.conf', 'passwd', 'group', 'nsswitch.conf'];
    const targets = [...files, 'ssl/certs/ca-certificates.crt'].map((file) => `etc/${file}`);
    for (const path of [...targets, 'run/tandem/result']) {
      expect((await lstat(join(root, path))).isFile()).toBe(true);
    }
  });

  it('says nothing of the machine it was built on', async () => {
    for (const file of ['hosts', 'hostname', 'resolv.conf']) {
      expect(await readFile(join(root, 'etc', file), 'utf8')).toBe('');
    }
    expect(await readlink(join(root, 'etc/localtime'))).toBe('/usr/share/zoneinfo/Etc/UTC');
    expect(await readdir(join(root, 'dev'))).toEqual([]);
    const keys = await run('find', join(root, 'etc'), '-name', '*.key');
    expect(keys.stdout).toBe('');
  });

  it('holds nothing that gives rights, no manuals and no package lists', async () => {
    const special = ['(', '-perm', '/6000', '-o', '-type', 'b,c,p,s', '-o', '!', '-uid', '0', ')'];
    expect((await run('find', root, '-xdev', ...special)).stdout).toBe('');
    for (const path of ['usr/share/man', 'usr/share/doc', 'var/lib/apt', 'var/cache']) {
      await expect(lstat(join(root, path))).rejects.toMatchObject({ code: 'ENOENT' });
    }
    expect(await inside('locale', '-a')).toContain('C.utf8');
  });

  if (kind === 'postgresql') {
    it('runs PostgreSQL 15, which finds all its libraries and no compiler to wait for', async () => {
      const bin = '/usr/lib/postgresql/15/bin';
      expect(await inside(`${bin}/postgres`, '--version')).toMatch(/ 15\.\d+/);
      for (const name of ['initdb', 'psql', 'pg_dump', 'pg_basebackup', 'pg_rewind']) {
        expect(await inside(`${bin}/${name}`, '--version')).toContain(' 15.');
      }
      await expect(lstat(join(root, 'var/lib/postgresql'))).rejects.toThrow();
      await expect(lstat(join(root, bin, '../lib/llvmjit.so'))).rejects.toThrow();
    });
    return;
  }

  if (kind === 'redis') {
    it('runs Redis 7, without settings or data of the package', async () => {
      expect(await inside('redis-server', '--version')).toMatch(/v=7\./);
      expect(await inside('flock', '--version')).toContain('util-linux');
      for (const path of ['etc/redis', 'var/lib/redis'])
        await expect(lstat(join(root, path))).rejects.toMatchObject({ code: 'ENOENT' });
    });
    return;
  }

  it('has a Python with its modules, whose bytecode is valid', async () => {
    const program = `import ssl, sqlite3, ctypes, lzma, bz2, zlib, readline, uuid, _decimal, distutils
import importlib.util, json, sys
data = open(json.__cached__, 'rb').read(16)
print(sys.version_info[:2], int.from_bytes(data[4:8], 'little'))`;
    // PEP 552: 1 is "hash-based, unchecked".
    expect(await inside('python3', '-c', program)).toBe('(3, 11) 1');
  });

  it('has the tools that building a site needs', async () => {
    expect(await inside('msgfmt', '--version')).toContain('GNU gettext');
    const compiler = inside('gcc', '--version');
    if (kind === 'build') await expect(compiler).resolves.toContain('gcc');
    else await expect(compiler).rejects.toThrow();
  });
});

describe('ensureStack', () => {
  let cache: string;
  const children: Script[] = [];

  beforeEach(async () => {
    cache = await mkdtemp('/var/tmp/tandem-stacks-');
  });
  afterEach(async () => {
    for (const child of children.splice(0)) {
      child.kill('SIGKILL');
      await exitOf(child);
    }
    await rm(cache, { recursive: true, maxRetries: 10 });
  });

  function startBuilder(): Script {
    const child = runTypeScript(BUILDER, ['base', cache]);
    children.push(child);
    return child;
  }

  /** Resolves when the build says so. */
  async function lineOf(child: Script, text: string): Promise<void> {
    for await (const line of createInterface({ input: child.stdout })) {
      if (line.includes(text)) return;
    }
    throw new Error(`it ended without saying ${text}`);
  }

  /** Processes whose arguments or mounts name the cache. */
  async function traces(): Promise<string[]> {
    const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
    const named = await Promise.all(
      pids.map(async (pid) => {
        const read = (file: string) => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '');
        return `${await read('cmdline')} ${await read('mountinfo')}`.includes(cache) ? [pid] : [];
      }),
    );
    return named.flat();
  }

  const publish = async (): Promise<void> => {
    const name = `debian-12-base-20260101-${recipeHash('base', process.arch)}`;
    await writeFile(join(cache, `${name}.squashfs`), 'hsqs');
    const description = { sha256: 'a'.repeat(64), version: '20260101' };
    await writeFile(join(cache, `${name}.json`), JSON.stringify(description));
  };

  it('leaves no mount and no process when killed, and sweeps its tree at the next start', async () => {
    const child = startBuilder();
    // Now scripts of packages run inside the tree, with /proc and /sys mounted in it.
    await lineOf(child, 'installing essential packages');
    child.kill('SIGKILL');
    await exitOf(child);
    await expect.poll(traces, { timeout: 10_000 }).toEqual([]);
    expect((await readdir(cache)).some((name) => name.startsWith('.building-'))).toBe(true);
    expect(await findStack('base', cache)).toBeUndefined();

    const lines: string[] = [];
    const stop = new AbortController();
    const building = ensureStack('base', {
      cacheDirectory: cache,
      signal: stop.signal,
      onProgress: (line) => {
        lines.push(line);
        if (line.includes('apt-get update')) stop.abort();
      },
    });
    await expect(building).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(await readdir(cache)).toEqual(['.lock']);
    expect(lines[0]).toMatch(/installing Debian packages from http/);
  });

  it('waits for another installation and takes what that one built', async () => {
    const said: string[] = [];
    const options = { cacheDirectory: cache, onProgress: (line: string) => said.push(line) };
    // Inside an object: a promise returned bare would be awaited with the lock held.
    const { stack } = await withFileLock(join(cache, '.lock'), { timeoutMs: 1_000 }, async () => {
      const stack = ensureStack('base', options);
      await expect.poll(() => said).toEqual(['Waiting for another build of a stack']);
      await publish();
      return { stack };
    });
    expect((await stack).version).toBe('20260101');
  });

  it('says STACK_FAILED with the mirror that does not answer, and leaves nothing', async () => {
    const mirror = 'http://127.0.0.1:9/debian';
    const building = ensureStack('base', { cacheDirectory: cache, mirror });
    await expect(building).rejects.toMatchObject({ code: 'STACK_FAILED' });
    expect(await readdir(cache)).toEqual(['.lock']);
  });

  it('says DISK_FULL before it begins', async () => {
    const small = join(cache, 'small');
    await mkdir(small);
    await run('mount', '-t', 'tmpfs', '-o', 'size=8m', 'tandem', small);
    try {
      const building = ensureStack('base', { cacheDirectory: small });
      await expect(building).rejects.toMatchObject({ code: 'DISK_FULL' });
      expect(await readdir(small)).toEqual(['.lock']);
    } finally {
      await run('umount', small);
    }
  });

  if (TEST_ALL) {
    it('builds once when two installations ask at once', { timeout: 300_000 }, async () => {
      const builders = [startBuilder(), startBuilder()];
      const outputs = builders.map((child) => {
        let text = '';
        child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
        return () => text;
      });
      await Promise.all(builders.map((child) => once(child, 'close')));
      const said = outputs.map((output) => output());
      expect(said.filter((text) => text.includes('extracting archives'))).toHaveLength(1);
      const stacks = said.map((text) => text.trim().split('\n').at(-1));
      expect(stacks[0]).toBe(stacks[1]);
      expect((await readdir(cache)).filter((name) => name.endsWith('.squashfs'))).toHaveLength(1);
    });
  }
});
