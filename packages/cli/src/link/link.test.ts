import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { chooseApp, chooseAppToDeploy, nameFromFolder } from './app-choice.ts';
import { readLink, removeLink, writeLink } from './link-file.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tandem-link-'));
});
afterEach(() => rm(folder, { recursive: true }));

describe('the app', () => {
  const inputs = (option?: string, env: NodeJS.ProcessEnv = {}) => ({ option, env, folder });

  it('is the option, else the variable, else the link, also of a folder above', async () => {
    await writeLink(folder, { app: 'linked' });
    const inside = join(folder, 'src', 'deep');
    await mkdir(inside, { recursive: true });
    expect(await chooseApp(inputs('a', { TANDEM_APP: 'b' }))).toEqual({ app: 'a', from: 'option' });
    expect((await chooseApp(inputs(undefined, { TANDEM_APP: 'b' }))).app).toBe('b');
    expect(await chooseApp({ ...inputs(), folder: inside })).toEqual({
      app: 'linked',
      from: 'link',
    });
  });

  it('must be chosen', async () => {
    await expect(chooseApp(inputs())).rejects.toMatchObject({ code: 'APP_NOT_CHOSEN' });
    await expect(chooseApp(inputs(undefined, { TANDEM_APP: '' }))).rejects.toBeDefined();
  });

  it('of a deploy is the link of that very folder, else its name', async () => {
    await writeLink(folder, { app: 'above' });
    const site = join(folder, 'My Site');
    await mkdir(site);
    expect(await chooseAppToDeploy({ ...inputs(), folder: site })).toEqual({
      app: 'my-site',
      from: 'folder name',
    });
    expect((await chooseAppToDeploy(inputs())).app).toBe('above');
  });

  it.each([
    ['/srv/bakery', 'bakery'],
    ['/srv/My_Site (2)', 'my-site-2'],
    ['/srv/Bäckerei', 'backerei'],
    ['/srv/2026', 'app-2026'],
    ['/srv/---', 'app'],
    ['/srv/漢字', 'app'],
    ['/', 'app'],
    [`/srv/${'a'.repeat(39)}-b`, 'a'.repeat(39)],
  ])('of %s is %s', (path, name) => expect(nameFromFolder(path)).toBe(name));
});

describe('the link', () => {
  it('is written, read, and ignores itself', async () => {
    await writeLink(folder, { app: 'bakery', on: 'prod' });
    expect(await readLink(folder)).toEqual({ app: 'bakery', on: 'prod' });
    expect(await readFile(join(folder, '.tandem', '.gitignore'), 'utf8')).toBe('*\n');
  });

  it('is removed for its own app only', async () => {
    await writeLink(folder, { app: 'bakery' });
    await removeLink(folder, 'other');
    expect(await readLink(folder)).toBeDefined();
    await removeLink(folder, 'bakery');
    expect(await readLink(folder)).toBeUndefined();
  });

  it.each(['', '{', '[]', '{"app":7}'])(
    'that reads %j is refused, with its place',
    async (text) => {
      await mkdir(join(folder, '.tandem'));
      await writeFile(join(folder, '.tandem', 'link.json'), text);
      await expect(readLink(folder)).rejects.toMatchObject({
        code: 'REQUEST_INVALID',
        where: join(folder, '.tandem', 'link.json'),
      });
    },
  );
});
