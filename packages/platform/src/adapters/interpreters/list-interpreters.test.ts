import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { compareVersions, glibcMinorNeeded, listInterpreters } from './list-interpreters.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'tandem-pythons-'));
});
afterEach(() => rm(root, { recursive: true }));

async function install(directory: string, series: string, elf = 'GLIBC_2.34'): Promise<void> {
  const program = join(root, directory, 'bin', `python${series}`);
  await mkdir(dirname(program), { recursive: true });
  await writeFile(program, elf);
}

const list = () =>
  listInterpreters({
    pyenvRoots: [join(root, 'pyenv'), join(root, 'missing')],
    uvRoots: [join(root, 'uv')],
    stack: { pythonVersion: '3.11.2', glibcMinor: 36 },
  });
const versions = async () => (await list()).map(({ version, source }) => `${version} ${source}`);

describe('listInterpreters', () => {
  it('has the one of the stack where there is no other', async () => {
    expect(await list()).toEqual([{ version: '3.11.2', source: 'stack', prefix: '/usr' }]);
  });

  it('gives each version once, highest first, and prefers uv', async () => {
    await install('pyenv/versions/3.9.18', '3.9');
    await install('pyenv/versions/3.12.1', '3.12');
    await install('uv/cpython-3.12.1-linux-x86_64-gnu', '3.12');
    await install('uv/cpython-3.12.10-linux-x86_64-gnu', '3.12');
    expect(await versions()).toEqual(['3.12.10 uv', '3.12.1 uv', '3.11.2 stack', '3.9.18 pyenv']);
  });

  it('leaves out what is too old, not CPython, experimental or broken', async () => {
    await install('pyenv/versions/3.6.15', '3.6');
    await install('pyenv/versions/2.7.18', '2.7');
    await install('pyenv/versions/pypy3.10-7.3.15', '3.10');
    await install('pyenv/versions/myvenv', '3.12');
    await install('uv/cpython-3.14.0+freethreaded-linux-x86_64-gnu', '3.14t');
    await install('uv/cpython-3.13.1-linux-x86_64-musl', '3.13');
    await mkdir(join(root, 'pyenv/versions/3.10.13/bin'), { recursive: true });
    expect(await versions()).toEqual(['3.11.2 stack']);
  });

  it('leaves out what needs a newer libc than the stack has', async () => {
    await install('pyenv/versions/3.12.1', '3.12', 'GLIBC_2.2.5\0GLIBC_2.38\0GLIBC_2.34');
    expect(await versions()).toEqual(['3.11.2 stack']);
  });
});

describe('glibcMinorNeeded', () => {
  it('takes the highest', () => {
    expect(glibcMinorNeeded('GLIBC_2.4\0GLIBC_2.36\0GLIBC_PRIVATE')).toBe(36);
    expect(glibcMinorNeeded('')).toBe(0);
  });
});

describe('compareVersions', () => {
  it('compares numbers, not text', () => {
    expect(['3.9.1', '3.10.0', '3.9.18'].sort(compareVersions)).toEqual([
      '3.9.1',
      '3.9.18',
      '3.10.0',
    ]);
  });
});
