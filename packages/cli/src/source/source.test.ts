import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { UPLOAD_LIMITS } from '@tandem/protocol';
import { extract } from 'tar-stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { packSource } from './archive.ts';
import { collectSource } from './collect.ts';
import { assertWithinLimits } from './size-report.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'tandem-source-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function write(files: Record<string, string>, under = root): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(under, path)), { recursive: true });
    await writeFile(join(under, path), content);
  }
}

function git(args: string[], cwd = root): void {
  const identity = [
    '-c',
    'user.name=t',
    '-c',
    'user.email=t@t.example',
    '-c',
    'commit.gpgsign=false',
  ];
  execFileSync('git', [...identity, ...args], { cwd, stdio: 'pipe' });
}

const paths = async (): Promise<string[]> =>
  (await collectSource(root)).files.map(({ path }) => path);

describe('outside of git', () => {
  it('honours every .gitignore, the nearest one last', async () => {
    await write({
      '.gitignore': '*.log\n/build/\n',
      'app.py': '',
      'a.log': '',
      'build/x': '',
      'sub/.gitignore': '!keep.log\nlocal/\n',
      'sub/keep.log': '',
      'sub/drop.log': '',
      'sub/local/y': '',
      'sub/build/z': '',
    });
    expect(await paths()).toEqual([
      '.gitignore',
      'app.py',
      'sub/.gitignore',
      'sub/build/z',
      'sub/keep.log',
    ]);
  });

  it('leaves secrets, caches and environments behind, and says which may be missed', async () => {
    await write({
      'app.py': '',
      '.env': 'SECRET=1',
      '.env.production': 'SECRET=1',
      '.env.example': '',
      'db.sqlite3': '',
      '__pycache__/app.cpython-312.pyc': '',
      'old.pyc': '',
      'web/node_modules/x/index.js': '',
      '.venv/pyvenv.cfg': '',
      '.venv/lib/x.py': '',
      'my environment/pyvenv.cfg': '',
      'my environment/bin/python': '',
      '.tandem/link.json': '{}',
      '.hg/store': '',
    });
    const source = await collectSource(root);
    expect(source.files.map(({ path }) => path)).toEqual(['.env.example', 'app.py']);
    expect(source.leftOut).toEqual(['.env', '.env.production', 'db.sqlite3', 'web/node_modules']);
  });

  it('lets .tandemignore add and take back', async () => {
    await write({
      '.tandemignore': 'docs/\n!.env\n!node_modules/\n',
      '.env': '',
      'docs/a.md': '',
      'node_modules/x.js': '',
      'app.py': '',
    });
    expect(await paths()).toEqual(['.env', '.tandemignore', 'app.py', 'node_modules/x.js']);
  });

  it('takes names with spaces, newlines, quotes, leading dashes and other scripts', async () => {
    const names = ['-rf', 'a b', 'a\nb', 'a"b', "a'b", 'ä', '漢字', 'a\\b', '*', 'x'.repeat(255)];
    await write(Object.fromEntries(names.map((name) => [name, ''])));
    expect(new Set(await paths())).toEqual(new Set(names));
  });

  it('keeps links inside, and refuses those that leave', async () => {
    await write({ 'a/app.py': '' });
    await symlink('../a/app.py', join(root, 'a', 'same.py'));
    await symlink('a', join(root, 'b'));
    await symlink('nowhere', join(root, 'dangling'));
    const { files } = await collectSource(root);
    expect(files.map(({ path, link }) => [path, link])).toEqual([
      ['a/app.py', undefined],
      ['a/same.py', '../a/app.py'],
      ['b', 'a'],
      ['dangling', 'nowhere'],
    ]);
    for (const target of ['/etc/passwd', '../outside', 'a/../../outside']) {
      await symlink(target, join(root, 'out'));
      await expect(collectSource(root)).rejects.toMatchObject({
        code: 'ARCHIVE_LINK_UNSAFE',
        where: 'out',
      });
      await rm(join(root, 'out'));
    }
  });

  it('passes over sockets and FIFOs', async () => {
    await write({ 'app.py': '' });
    execFileSync('mkfifo', [join(root, 'fifo')]);
    const server: Server = createServer().listen(join(root, 's.sock'));
    expect(await paths()).toEqual(['app.py']);
    await new Promise((resolve) => server.close(resolve));
  });

  it('refuses a name that is no UTF-8, and a folder that is none', async () => {
    execFileSync('sh', ['-c', 'touch "$(printf "bad\\377name")"'], { cwd: root });
    await expect(collectSource(root)).rejects.toMatchObject({ code: 'ARCHIVE_PATH_UNSAFE' });
    await expect(collectSource(join(root, 'none'))).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});

describe('in a git work tree', () => {
  beforeEach(() => git(['init', '-q', '-b', 'main']));

  it('takes what is committed, staged or new, not what is ignored or deleted', async () => {
    await write({
      'app.py': '',
      'gone.py': '',
      '.gitignore': '*.log\ndist/\n',
      'dist/kept.js': '',
    });
    git(['add', '-f', '.']);
    git(['commit', '-q', '-m', 'x']);
    await write({ 'new.py': '', 'a.log': '', 'dist/more.js': '', 'staged.py': '' });
    git(['add', 'staged.py']);
    await rm(join(root, 'gone.py'));
    expect(await paths()).toEqual(['.gitignore', 'app.py', 'dist/kept.js', 'new.py', 'staged.py']);
  });

  it('sends a committed .env, never another one', async () => {
    await write({ '.env': 'DEBUG=1', 'app.py': '', 'node_modules/committed.js': '' });
    git(['add', '-A']);
    git(['commit', '-q', '-m', 'x']);
    await write({
      '.env.local': 'SECRET=1',
      'sub/.env': 'SECRET=1',
      'v/pyvenv.cfg': '',
      'v/x': '',
    });
    const source = await collectSource(root);
    expect(source.files.map(({ path }) => path)).toEqual([
      '.env',
      'app.py',
      'node_modules/committed.js',
    ]);
    expect(source.leftOut).toEqual(['.env.local', 'sub/.env']);
  });

  it('deploys a folder inside of it, and one that it ignores', async () => {
    await write({
      'site/app.py': '',
      'other/x.py': '',
      '.gitignore': 'build/\n',
      'build/b.py': '',
    });
    git(['add', '-A']);
    root = join(root, 'site');
    expect(await paths()).toEqual(['app.py']);
    root = join(dirname(root), 'build');
    expect(await paths()).toEqual(['b.py']);
    root = dirname(root);
  });

  it('goes into submodules and nested work trees', async () => {
    await write({
      'app.py': '',
      'nested/.gitignore': 'skip\n',
      'nested/n.py': '',
      'nested/skip': '',
    });
    git(['init', '-q'], join(root, 'nested'));
    git(['add', 'n.py'], join(root, 'nested'));
    expect(await paths()).toEqual(['app.py', 'nested/.gitignore', 'nested/n.py']);
    git(['commit', '-q', '-m', 'n'], join(root, 'nested'));
    git(['-c', 'advice.addEmbeddedRepo=false', 'add', 'nested']);
    expect(await paths()).toEqual(['app.py', 'nested/.gitignore', 'nested/n.py']);
  });

  it('names a submodule that is not checked out', async () => {
    await write({ 'app.py': '' });
    await mkdir(join(root, 'theme'));
    git(['update-index', '--add', '--cacheinfo', `160000,${'1'.repeat(40)},theme`]);
    expect(await paths()).toEqual(['app.py']);
    expect((await collectSource(root)).emptySubmodules).toEqual(['theme']);
    await write({ 'theme/t.css': '' });
    expect(await paths()).toEqual(['app.py', 'theme/t.css']);
  });

  it('runs nothing that the configuration of the tree names', async () => {
    const proof = join(root, 'proof');
    await write({ 'app.py': '', 'hook.sh': `#!/bin/sh\ntouch ${proof}\n` });
    await chmod(join(root, 'hook.sh'), 0o755);
    git(['config', 'core.fsmonitor', join(root, 'hook.sh')]);
    expect(await paths()).toEqual(['app.py', 'hook.sh']);
  });
});

describe('the archive', () => {
  async function read(): Promise<{ entries: unknown[]; sha256: string }> {
    const { stream } = packSource(await collectSource(root));
    const hash = createHash('sha256');
    stream.on('data', (chunk: Buffer) => hash.update(chunk));
    const tar = extract();
    const entries: unknown[] = [];
    const reading = (async () => {
      for await (const entry of tar) {
        let sizeBytes = 0;
        for await (const chunk of entry) sizeBytes += (chunk as Buffer).length;
        const { name, mode, type, linkname } = entry.header;
        entries.push([name, type, mode.toString(8), linkname ?? '', sizeBytes]);
      }
    })();
    await Promise.all([pipeline(stream, createGunzip(), tar as never), reading]);
    return { entries, sha256: hash.digest('hex') };
  }

  it('holds every file with nothing of this machine', async () => {
    await write({ 'run.sh': '#!', 'empty.py': '', [`${'d'.repeat(120)}/${'f'.repeat(120)}`]: 'x' });
    await chmod(join(root, 'run.sh'), 0o4755);
    await writeFile(join(root, 'big.bin'), Buffer.alloc(3_000_000));
    await symlink('run.sh', join(root, 'link'));
    expect((await read()).entries).toEqual([
      ['big.bin', 'file', '644', '', 3_000_000],
      [`${'d'.repeat(120)}/${'f'.repeat(120)}`, 'file', '644', '', 1],
      ['empty.py', 'file', '644', '', 0],
      ['link', 'symlink', '755', 'run.sh', 0],
      ['run.sh', 'file', '755', '', 2],
    ]);
  });

  it('is the same for the same tree', async () => {
    await write({ 'b.py': 'b', 'a.py': 'a' });
    const first = await read();
    await rm(join(root, 'a.py'));
    await write({ 'a.py': 'a' });
    expect((await read()).sha256).toBe(first.sha256);
  });

  it('stops at the limit and names the biggest directories', async () => {
    for (const name of ['media/photos/1', 'media/photos/2', 'data/x']) {
      await write({ [name]: '' });
      await writeFile(
        join(root, name),
        Buffer.from(Array.from({ length: 90_000 }, () => Math.random() * 256)),
      );
    }
    const { stream } = packSource(await collectSource(root), 100_000);
    await expect(stream.resume().toArray()).rejects.toMatchObject({
      code: 'UPLOAD_TOO_LARGE',
      where: 'media/photos 180 kB, data 90.0 kB',
    });
  });

  it('names the file that vanished or shrank meanwhile', async () => {
    await write({ 'a.py': '' });
    const source = await collectSource(root);
    await rm(join(root, 'a.py'));
    await expect(packSource(source).stream.resume().toArray()).rejects.toMatchObject({
      code: 'UPLOAD_INCOMPLETE',
      where: 'a.py',
    });
  });

  it('takes a file as long as it is when it is read', async () => {
    await writeFile(join(root, 'a.log'), Buffer.alloc(100));
    const source = await collectSource(root);
    await truncate(join(root, 'a.log'), 7);
    const chunks = await packSource(source).stream.toArray();
    expect(chunks.length).toBeGreaterThan(0);
  });

  it('lets go of everything when its reader gives up', async () => {
    await writeFile(join(root, 'big.bin'), Buffer.alloc(30_000_000, 'x'));
    const { stream } = packSource(await collectSource(root));
    stream.destroy();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(stream.destroyed).toBe(true);
  });
});

describe('limits', () => {
  const source = (files: [string, number][]) => ({
    root: '/x',
    leftOut: [],
    emptySubmodules: [],
    sizeBytes: files.reduce((sum, [, size]) => sum + size, 0),
    files: files.map(([path, sizeBytes]) => ({ path, absolute: '', sizeBytes, executable: false })),
  });

  it('refuse an empty folder, too many files and too many bytes', () => {
    expect(() => assertWithinLimits(source([]))).toThrow('no file to deploy');
    const limits = { ...UPLOAD_LIMITS, fileCountMax: 2, unpackedBytesMax: 100 } as never;
    expect(() =>
      assertWithinLimits(
        source([
          ['a', 1],
          ['b/c', 1],
          ['b/d', 1],
        ]),
        limits,
      ),
    ).toThrow('3 files');
    expect(() =>
      assertWithinLimits(
        source([
          ['a', 60],
          ['b', 60],
        ]),
        limits,
      ),
    ).toThrow('120 B of files');
    expect(() =>
      assertWithinLimits(
        source([
          ['a', 50],
          ['b', 50],
        ]),
        limits,
      ),
    ).not.toThrow();
  });
});
