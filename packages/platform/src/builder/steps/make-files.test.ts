import { mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { makeFiles } from './make-files.ts';

let source: string;
const uid = process.getuid?.() ?? 0;
beforeEach(async () => {
  source = await realpath(await mkdtemp(join(tmpdir(), 'tandem-made-')));
});
afterEach(() => rm(source, { recursive: true }));

it('makes a file in the source', async () => {
  await mkdir(join(source, 'site'));
  await makeFiles(source, [{ path: 'site/local.py', text: 'A = 1' }], uid);
  expect(await readFile(join(source, 'site/local.py'), 'utf8')).toBe('A = 1');
});

it('overwrites nothing, and follows no link', async () => {
  await writeFile(join(source, 'there.py'), 'mine');
  await expect(makeFiles(source, [{ path: 'there.py', text: 'x' }], uid)).rejects.toThrow(/EEXIST/);
  const outside = await mkdtemp(join(tmpdir(), 'tandem-outside-'));
  await symlink(outside, join(source, 'link'));
  await symlink(join(outside, 'target.py'), join(source, 'dangling.py'));
  await makeFiles(source, [{ path: 'link/local.py', text: 'x' }], uid);
  await expect(makeFiles(source, [{ path: 'dangling.py', text: 'x' }], uid)).rejects.toThrow();
  await expect(readFile(join(outside, 'local.py'))).rejects.toThrow(/ENOENT/);
  await expect(readFile(join(outside, 'target.py'))).rejects.toThrow(/ENOENT/);
  await rm(outside, { recursive: true });
});
