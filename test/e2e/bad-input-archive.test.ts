// What is sent as a source: archives that no CLI makes, folders that it refuses to send, and names
// that no app can have.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { symlink, truncate } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { json } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { UPLOAD_LIMITS, type ErrorBody } from '@tandem/protocol';
import { pack, type Header } from 'tar-stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { controlSocket } from '../../packages/platform/src/ports/paths.ts';
import { sharedInstallation } from '../support/installation.ts';
import { StandingSite, withFolder, type Refusal } from '../support/standing-site.ts';
import { TINY_FLASK } from '../support/tiny-projects.ts';

type Entry = Partial<Header> & { readonly name: string; readonly content?: string };
type Case = readonly [name: string, entries: readonly Entry[], refusal: Refusal];

const t = await sharedInstallation();
/** Where an archive that gets out of its tree would write. */
const outside = join('/var/tmp', `tandem-escaped-${t.place.name}`);
const leaf = outside.slice(1);

const ARCHIVES: readonly Case[] = [
  [
    'a path that leaves the tree',
    [{ name: `../../../../../../../${leaf}`, content: 'x' }],
    { code: 'ARCHIVE_PATH_UNSAFE', what: /leaves the source tree/, where: leaf, fix: /tar -C/ },
  ],
  [
    'a path that leaves the tree in its middle',
    [{ name: `static/../../${leaf}`, content: 'x' }],
    { code: 'ARCHIVE_PATH_UNSAFE', what: /"static\/\.\.\//, where: leaf, fix: /tar -C/ },
  ],
  [
    'an absolute path',
    [{ name: outside, content: 'x' }],
    { code: 'ARCHIVE_PATH_UNSAFE', what: /absolute path/, where: outside, fix: /tar -C/ },
  ],
  [
    'a link to an absolute path',
    [{ name: 'passwords', type: 'symlink', linkname: '/etc/shadow' }],
    {
      code: 'ARCHIVE_LINK_UNSAFE',
      what: /"\/etc\/shadow"/,
      where: 'passwords',
      fix: /rm passwords/,
    },
  ],
  [
    'a link that climbs out of the tree',
    [{ name: 'a/b/up', type: 'symlink', linkname: '../../../secret' }],
    {
      code: 'ARCHIVE_LINK_UNSAFE',
      what: /leaves the source tree/,
      where: 'a/b/up',
      fix: /rm a\/b\/up/,
    },
  ],
  [
    'links that climb out only together',
    [
      { name: 'deep/down', type: 'symlink', linkname: '..' },
      { name: 'out', type: 'symlink', linkname: 'deep/down/../secret' },
    ],
    { code: 'ARCHIVE_LINK_UNSAFE', what: /"out"/, where: 'out', fix: /rm out/ },
  ],
  [
    'a file written through a link',
    [
      { name: 'inner', type: 'symlink', linkname: 'elsewhere' },
      { name: 'inner/evil.py', content: 'x' },
    ],
    {
      code: 'ARCHIVE_LINK_UNSAFE',
      what: /leads to "inner\/evil\.py"/,
      where: 'inner',
      fix: /rm inner/,
    },
  ],
  [
    'a link put in the place of a directory',
    [
      { name: 'static/a.css', content: 'a' },
      { name: 'static', type: 'symlink', linkname: '/var/tmp' },
    ],
    {
      code: 'ARCHIVE_PATH_UNSAFE',
      what: /directory first and a link later/,
      where: 'static',
      fix: /./,
    },
  ],
  [
    'a hard link to a file outside',
    [{ name: 'shadow', type: 'link', linkname: '/etc/shadow' }],
    {
      code: 'ARCHIVE_LINK_UNSAFE',
      what: /leaves the source tree/,
      where: 'shadow',
      fix: /rm shadow/,
    },
  ],
  [
    'a hard link to a symbolic one',
    [
      { name: 'first', type: 'symlink', linkname: 'app.py' },
      { name: 'second', type: 'link', linkname: 'first' },
    ],
    { code: 'ARCHIVE_LINK_UNSAFE', what: /"second" -> "first"/, where: 'second', fix: /rm second/ },
  ],
  [
    'a device',
    [{ name: 'dev/disk', type: 'block-device', devmajor: 8, devminor: 0 }],
    {
      code: 'ARCHIVE_SPECIAL_FILE',
      what: /"dev\/disk" is a block-device/,
      where: 'dev/disk',
      fix: /rm/,
    },
  ],
  [
    'a FIFO',
    [{ name: 'queue', type: 'fifo' }],
    { code: 'ARCHIVE_SPECIAL_FILE', what: /"queue" is a fifo/, where: 'queue', fix: /rm queue/ },
  ],
  [
    'a setuid file',
    [{ name: 'bin/su', mode: 0o4755, content: 'x' }],
    { code: 'ARCHIVE_SETUID', what: /"bin\/su"/, where: 'bin/su', fix: /chmod ug-s bin\/su/ },
  ],
  ['nothing', [], { code: 'UPLOAD_INCOMPLETE', what: /no files/, fix: /git ls-files/ }],
];

/** The good project, and then these entries: what is refused must not hide behind what is not. */
async function tarOf(entries: readonly Entry[]): Promise<Buffer> {
  const tar = pack();
  const good = entries.length === 0 ? [] : Object.entries(TINY_FLASK);
  for (const [name, content] of good) tar.entry({ name }, content);
  for (const { content, ...header } of entries) tar.entry(header, content ?? '');
  tar.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tar) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** A header that declares more than it brings. */
async function declaring(sizeBytes: number): Promise<Buffer> {
  const block = (await tarOf([{ name: 'huge.bin', content: 'x' }])).subarray(-2048, -1536);
  const header = Buffer.from(block);
  header.write(`${sizeBytes.toString(8).padStart(11, '0')} `, 124);
  header.write(' '.repeat(8), 148);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return header;
}

describe('a source', () => {
  let site: StandingSite;
  beforeAll(async () => {
    site = await StandingSite.deploy(t, 'archives', TINY_FLASK);
  });
  afterAll(() => site.destroy());

  it.each(ARCHIVES)('is refused with %s', async (_name, entries, refusal) => {
    const tar = await tarOf(entries);
    await site.refusesArchive(Readable.from([gzipSync(tar)]), refusal);
    expect(existsSync(outside)).toBe(false);
  });

  it('is refused when it is no archive, or is cut short', async () => {
    const noise = createHash('sha512').update('noise').digest();
    const refusal = { code: 'UPLOAD_INCOMPLETE', what: /cannot be read/, fix: /again/ } as const;
    await site.refusesArchive(Readable.from([Buffer.alloc(4096, noise)]), refusal);
    const whole = gzipSync(await tarOf([{ name: 'a.txt', content: 'a' }]));
    await site.refusesArchive(Readable.from([whole.subarray(0, whole.length / 2)]), refusal);
  });

  it('is refused when it unpacks to more than the limit', async () => {
    const header = await declaring(3 * 1024 ** 3);
    await site.refusesArchive(Readable.from([gzipSync(header)]), {
      code: 'UPLOAD_TOO_LARGE',
      what: /over 2048 MiB/,
      fix: /\.gitignore|\.tandemignore/,
    });
  });

  it('is refused before it is read when it says that it is too large', async () => {
    const { status, error } = await announce(site.app, UPLOAD_LIMITS.sizeBytesMax + 1);
    expect(status).toBe(413);
    expect(error).toMatchObject({ code: 'UPLOAD_TOO_LARGE' });
    expect(error.hint).toContain('.tandemignore');
    await site.expectUntouched();
  });

  it('is not even sent when the folder is too large, or holds a link that leads out', async () => {
    await withFolder(t, { ...TINY_FLASK, 'media/film.mp4': '' }, async (folder) => {
      await truncate(join(folder, 'media/film.mp4'), 3 * 1024 ** 3);
      const large = await t.tandem(['deploy', folder, '-a', site.app]);
      expect(large.exitCode).toBe(1);
      expect(large.stderr).toMatch(
        /UPLOAD_TOO_LARGE[^]*3\.\d GB[^]*Where +media 3\.\d GB[^]*\.tandemignore/,
      );
    });
    await withFolder(t, TINY_FLASK, async (folder) => {
      await symlink('/etc/shadow', join(folder, 'passwords'));
      const leading = await t.tandem(['deploy', folder, '-a', site.app]);
      expect(leading.exitCode).toBe(1);
      expect(leading.stderr).toMatch(/ARCHIVE_LINK_UNSAFE[^]*\/etc\/shadow[^]*Where +passwords/);
    });
    await site.expectUntouched();
  });
});

/** The answer to the head of an upload of this size, of which no byte is sent. */
async function announce(
  app: string,
  sizeBytes: number,
): Promise<{ status: number; error: ErrorBody }> {
  return await new Promise((resolve, reject) => {
    const upload = request({
      socketPath: controlSocket(t.paths),
      method: 'POST',
      path: `/v1/apps/${app}/deploys`,
      headers: { 'content-length': sizeBytes, 'content-type': 'application/x-tar' },
    });
    upload.once('error', reject);
    upload.once('response', (response) => {
      const status = response.statusCode ?? 0;
      json(response)
        .then((body) => resolve({ status, error: (body as { error: ErrorBody }).error }), reject)
        .finally(() => upload.destroy());
    });
    upload.flushHeaders();
  });
}

describe('a name', () => {
  it.each([
    'Bakery',
    'bakery.example',
    'the_bakery',
    'bäckerei',
    'bake--ry',
    'bakery-',
    '../bakery',
    '12345',
    'b'.repeat(41),
    'bakery\nevil',
  ])('%j is refused', async (name) => {
    const before = await t.client.listApps();
    const { exitCode, stderr } = await withFolder(t, TINY_FLASK, (folder) =>
      t.tandem(['deploy', folder, '-a', name]),
    );
    expect(exitCode, stderr).toBe(1);
    expect(stderr).toMatch(/APP_NAME_INVALID[^]*cannot be the name of an app[^]*Fix[^]*a-z/);
    expect(await t.client.listApps()).toEqual(before);
  });
});
