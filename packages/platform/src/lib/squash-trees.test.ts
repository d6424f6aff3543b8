// What packs nothing; packing itself is tested by the contract suite of ImageStore.
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { literalPattern, squashTrees, type SquashEntry } from './squash-trees.ts';

let work: string;
let tree: string;
beforeEach(async () => {
  work = await mkdtemp(join(tmpdir(), 'tandem-squash-'));
  tree = join(work, 'tree');
  await mkdir(tree);
});
afterEach(() => rm(work, { recursive: true }));

const pack = (...entries: [SquashEntry, ...SquashEntry[]]) =>
  squashTrees(entries, { output: join(work, 'image'), compressionLevel: 1, timeoutMs: 5_000 });

describe('squashTrees refuses', () => {
  afterEach(async () => expect((await readdir(work)).includes('image')).toBe(false));

  it.each(['app', '/app/', '/../etc', '/a/../b', '/a b', '//a', '/$(id)'])('prefix %s', (prefix) =>
    expect(pack({ directory: tree, prefix })).rejects.toThrow(/is not a prefix/),
  );

  it.each([
    ['/app', '/app'],
    ['', '/app'],
    ['/opt/tandem', '/opt/tandem/overlay'],
  ])('overlapping prefixes %s and %s', (one, other) =>
    expect(
      pack({ directory: tree, prefix: one }, { directory: tree, prefix: other }),
    ).rejects.toThrow(/overlap/),
  );

  it.each(['/etc', '../x', 'a/../../x'])('to exclude %s', (path) =>
    expect(pack({ directory: tree, exclude: [path] })).rejects.toThrow(/leaves/),
  );

  it('what is no directory itself', async () => {
    await writeFile(join(work, 'file'), '');
    await symlink('/etc', join(work, 'link'));
    for (const name of ['file', 'link', 'missing']) {
      await expect(pack({ directory: join(work, name) })).rejects.toThrow();
    }
  });
});

describe('literalPattern', () => {
  it('quotes whatever mksquashfs could read as a pattern', () => {
    expect(literalPattern('app/a_b-1')).toBe('app/a_b-1');
    expect(literalPattern('... *.py')).toBe('\\.\\.\\.\\ \\*\\.py');
    expect(literalPattern('!(a)[b]?\\')).toBe('\\!\\(a\\)\\[b\\]\\?\\\\');
  });
});
