import {
  createWriteStream,
  lstatSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
} from 'node:fs';
import { existsSync, mkdirSync, readdirSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { ErrorCode } from '@tandem/protocol';
import { pack, type Header } from 'tar-stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { unpackArchive, type UnpackLimits } from './unpack-archive.ts';

let scratch: string;
let directory: string;

beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'tandem-unpack-'));
  directory = join(scratch, 'source');
  mkdirSync(directory);
});
afterEach(() => rmSync(scratch, { recursive: true, force: true }));

type Entry = Partial<Header> & { name: string; body?: string };

async function archiveOf(entries: readonly Entry[], gzip = false): Promise<string> {
  const archive = pack();
  for (const { body, ...header } of entries) {
    archive.entry(header, body ?? '');
  }
  archive.finalize();
  const path = join(scratch, 'source.tar');
  const plain = Readable.from(archive);
  await pipeline([plain, ...(gzip ? [createGzip()] : []), createWriteStream(path)]);
  return path;
}

async function unpack(entries: readonly Entry[], limits?: UnpackLimits) {
  const archivePath = await archiveOf(entries);
  const signal = AbortSignal.timeout(5_000);
  return unpackArchive({ archivePath, directory, signal, ...(limits ? { limits } : {}) });
}

async function expectRefusal(entries: readonly Entry[], code: ErrorCode, named: string) {
  const refusal: unknown = await unpack(entries).then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(refusal).toMatchObject({ code });
  expect((refusal as Error).message).toContain(named);
}

describe('unpackArchive', () => {
  it('unpacks files, directories, links and the executable bit', async () => {
    const result = await unpack([
      { name: './', type: 'directory' },
      { name: './site/manage.py', body: 'print(1)', mode: 0o775 },
      { name: 'site/data.txt', body: 'x', mode: 0o600 },
      { name: 'current', type: 'symlink', linkname: 'site/data.txt' },
      { name: 'same', type: 'link', linkname: 'site/data.txt' },
    ]);
    expect(result.fileCount).toBe(4);
    expect(statSync(join(directory, 'site/manage.py')).mode & 0o777).toBe(0o755);
    expect(statSync(join(directory, 'site/data.txt')).mode & 0o777).toBe(0o644);
    expect(readlinkSync(join(directory, 'current'))).toBe('site/data.txt');
    expect(readFileSync(join(directory, 'same'), 'utf8')).toBe('x');
  });

  it('reads gzip without being told', async () => {
    const archivePath = await archiveOf([{ name: 'a', body: 'hello' }], true);
    await unpackArchive({ archivePath, directory, signal: AbortSignal.timeout(5_000) });
    expect(readFileSync(join(directory, 'a'), 'utf8')).toBe('hello');
  });

  it('lets a later entry of the same path win', async () => {
    await unpack([
      { name: 'a', body: 'first' },
      { name: 'a', body: 'second' },
    ]);
    expect(readFileSync(join(directory, 'a'), 'utf8')).toBe('second');
  });

  it('gives everything to the build uid', async () => {
    const archivePath = await archiveOf([
      { name: 'd/a', body: 'x' },
      { name: 'l', type: 'symlink', linkname: 'd' },
    ]);
    const signal = AbortSignal.timeout(5_000);
    await unpackArchive({ archivePath, directory, uid: 12_345, signal });
    for (const path of ['d', 'd/a', 'l']) {
      expect(lstatSync(join(directory, path)).uid).toBe(12_345);
    }
  });

  it('refuses paths that leave the tree', async () => {
    await expectRefusal([{ name: '../evil' }], 'ARCHIVE_PATH_UNSAFE', '../evil');
    await expectRefusal([{ name: 'a/../../evil' }], 'ARCHIVE_PATH_UNSAFE', 'a/../../evil');
    await expectRefusal([{ name: '/etc/evil' }], 'ARCHIVE_PATH_UNSAFE', '/etc/evil');
    expect(existsSync(join(scratch, 'evil'))).toBe(false);
  });

  it('refuses links that leave the tree', async () => {
    const link = (name: string, linkname: string): Entry => ({ name, type: 'symlink', linkname });
    const code = 'ARCHIVE_LINK_UNSAFE';
    await expectRefusal([link('l', '/etc/passwd')], code, '/etc/passwd');
    await expectRefusal([link('d/l', '../../x')], code, 'd/l');
    await expectRefusal([{ name: 'h', type: 'link', linkname: '../x' }], code, '"h"');
    await expectRefusal([{ name: 'h', type: 'link', linkname: '/etc/shadow' }], code, 'shadow');
  });

  it('refuses a link that stays inside by its text but climbs out through another link', async () => {
    const entries: Entry[] = [
      { name: 'up/a/b', type: 'symlink', linkname: '../..' },
      { name: 'c', type: 'symlink', linkname: 'up/a/b/../..' },
    ];
    await expectRefusal(entries, 'ARCHIVE_LINK_UNSAFE', '"c"');
  });

  it('refuses links in circles', async () => {
    const entries: Entry[] = [
      { name: 'a', type: 'symlink', linkname: 'b/x' },
      { name: 'b', type: 'symlink', linkname: 'a/x' },
    ];
    await expectRefusal(entries, 'ARCHIVE_LINK_UNSAFE', 'circles');
  });

  it('never writes through a link unpacked before', async () => {
    mkdirSync(join(scratch, 'outside'));
    const entries: Entry[] = [
      { name: 'dir', type: 'symlink', linkname: '../outside' },
      { name: 'dir/file', body: 'owned' },
    ];
    await expectRefusal(entries, 'ARCHIVE_LINK_UNSAFE', 'dir/file');
    expect(readdirSync(join(scratch, 'outside'))).toEqual([]);
  });

  it('refuses to turn a link into a file and a file into a directory', async () => {
    const swap: Entry[] = [
      { name: 'a', type: 'symlink', linkname: 'b' },
      { name: 'a', body: 'x' },
    ];
    await expectRefusal(swap, 'ARCHIVE_PATH_UNSAFE', '"a"');
    const below: Entry[] = [{ name: 'f', body: 'x' }, { name: 'f/g' }];
    rmSync(join(directory, 'f'), { force: true });
    await expectRefusal(below, 'ARCHIVE_PATH_UNSAFE', 'f/g');
  });

  it('refuses devices, pipes and setuid files', async () => {
    const special = 'ARCHIVE_SPECIAL_FILE';
    await expectRefusal([{ name: 'null', type: 'character-device' }], special, 'null');
    await expectRefusal([{ name: 'sda', type: 'block-device' }], special, 'sda');
    await expectRefusal([{ name: 'pipe', type: 'fifo' }], special, 'pipe');
    await expectRefusal([{ name: 'su', mode: 0o4755 }], 'ARCHIVE_SETUID', 'su');
    await expectRefusal([{ name: 'sg', mode: 0o2755 }], 'ARCHIVE_SETUID', 'sg');
  });

  it('refuses too many files and too many bytes', async () => {
    const limits = { unpackedBytesMax: 100, fileCountMax: 2 };
    const many = unpack([{ name: 'a' }, { name: 'b' }, { name: 'c' }], limits);
    await expect(many).rejects.toMatchObject({ code: 'ARCHIVE_TOO_MANY_FILES', where: 'c' });
    const large = unpack([{ name: 'big', body: 'x'.repeat(101) }], limits);
    await expect(large).rejects.toMatchObject({ code: 'UPLOAD_TOO_LARGE' });
  });

  it('refuses a bomb whose headers lie', async () => {
    const path = join(scratch, 'zeros.tar.gz');
    const zeros = createGzip();
    const written = pipeline(zeros, createWriteStream(path));
    zeros.end(Buffer.alloc(2_000_000));
    await written;
    const limits = { unpackedBytesMax: 1_000, fileCountMax: 1 };
    const signal = AbortSignal.timeout(5_000);
    const bomb = unpackArchive({ archivePath: path, directory, signal, limits });
    await expect(bomb).rejects.toMatchObject({ code: 'UPLOAD_TOO_LARGE' });
  });

  it('refuses what ends early, is empty or is no archive', async () => {
    const signal = AbortSignal.timeout(5_000);
    const code = 'UPLOAD_INCOMPLETE';
    const archivePath = await archiveOf([{ name: 'a', body: 'x'.repeat(5_000) }]);
    truncateSync(archivePath, 3_000);
    await expect(unpackArchive({ archivePath, directory, signal })).rejects.toMatchObject({ code });
    writeFileSync(archivePath, '');
    await expect(unpackArchive({ archivePath, directory, signal })).rejects.toMatchObject({ code });
    writeFileSync(archivePath, 'not a tar archive '.repeat(100));
    await expect(unpackArchive({ archivePath, directory, signal })).rejects.toMatchObject({ code });
  });

  it('stops when it is cancelled', async () => {
    const archivePath = await archiveOf([{ name: 'a', body: 'x' }]);
    const signal = AbortSignal.abort(new Error('stop'));
    await expect(unpackArchive({ archivePath, directory, signal })).rejects.toThrow();
  });
});
