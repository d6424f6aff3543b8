import { mkdir, mkdtemp, readFile, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeLinks } from './make-links.ts';

const UID = process.getuid?.() ?? 0;
let source: string;
beforeEach(async () => {
  source = await mkdtemp(join(tmpdir(), 'links-'));
  await mkdir(join(source, 'conf/deep'), { recursive: true });
  await writeFile(join(source, 'conf/epio.py'), 'EPIO = True\n');
  await writeFile(join(source, 'settings.py'), 'EPIO = False\n');
});
afterEach(() => rm(source, { recursive: true }));

describe('links of the configuration', () => {
  it('are relative, so that they hold wherever the source is mounted', async () => {
    await makeLinks(source, [{ path: 'site/new/settings.py', target: 'conf/epio.py' }], UID);
    expect(await readlink(join(source, 'site/new/settings.py'))).toBe('../../conf/epio.py');
    expect(await readFile(join(source, 'site/new/settings.py'), 'utf8')).toBe('EPIO = True\n');
  });

  it('replace a file, and can be made twice', async () => {
    const links = [{ path: 'settings.py', target: 'conf/epio.py' }];
    await makeLinks(source, links, UID);
    await makeLinks(source, links, UID);
    expect(await readFile(join(source, 'settings.py'), 'utf8')).toBe('EPIO = True\n');
    expect(await readFile(join(source, 'conf/epio.py'), 'utf8')).toBe('EPIO = True\n');
  });

  it('may mean the whole source', async () => {
    await makeLinks(source, [{ path: '.checkout/shop', target: '' }], UID);
    expect(await readlink(join(source, '.checkout/shop'))).toBe('..');
  });

  it('never take the place of a directory', async () => {
    await expect(
      makeLinks(source, [{ path: 'conf', target: 'settings.py' }], UID),
    ).rejects.toMatchObject({ code: 'ARCHIVE_LINK_UNSAFE', where: 'conf' });
  });

  it('are never made through a link of the archive, nor below a file', async () => {
    await symlink('conf', join(source, 'way'));
    for (const path of ['way/x.py', 'settings.py/x.py']) {
      await expect(
        makeLinks(source, [{ path, target: 'conf/epio.py' }], UID),
      ).rejects.toMatchObject({ code: 'ARCHIVE_LINK_UNSAFE' });
    }
  });

  it('make no link of the archive lead out of the source', async () => {
    // Without the new link this is `conf/x`: three down, two up.
    await symlink('conf/deep/gone/../../x', join(source, 'evil'));
    await expect(
      makeLinks(source, [{ path: 'conf/deep/gone', target: '' }], UID),
    ).rejects.toMatchObject({ code: 'ARCHIVE_LINK_UNSAFE', where: 'evil' });
  });
});
