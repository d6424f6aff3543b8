import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findStack } from './ensure-stack.ts';
import { recipeHash } from './recipe.ts';

const SHA = 'a'.repeat(64);
const hash = recipeHash('base', process.arch);
let cache: string;

beforeEach(async () => {
  cache = await mkdtemp(join(tmpdir(), 'tandem-stacks-'));
});
afterEach(() => rm(cache, { recursive: true }));

async function put(day: string, description: string | undefined, recipe = hash): Promise<string> {
  const name = `debian-12-base-${day}-${recipe}`;
  await writeFile(join(cache, `${name}.squashfs`), 'hsqs');
  if (description !== undefined) await writeFile(join(cache, `${name}.json`), description);
  return name;
}

const describes = (version: string): string => JSON.stringify({ sha256: SHA, version });

describe('findStack', () => {
  it('finds the newest of the current recipe', async () => {
    await put('20260101', describes('20260101'));
    const name = await put('20260301', describes('20260301'));
    await put('20260401', describes('20260401'), '0123456789abcdef');
    const file = join(cache, `${name}.squashfs`);
    expect(await findStack('base', cache)).toEqual({
      file,
      name,
      sha256: SHA,
      version: '20260301',
    });
    expect(await findStack('build', cache)).toBeUndefined();
  });

  it('does not count an image without a description, or with a broken one', async () => {
    await put('20260101', undefined);
    await put('20260102', '{"sha256":');
    await put('20260103', JSON.stringify({ sha256: '../..', version: '20260103' }));
    expect(await findStack('base', cache)).toBeUndefined();
  });

  it('does not count a description without its image', async () => {
    const name = await put('20260101', describes('20260101'));
    await rm(join(cache, `${name}.squashfs`));
    expect(await findStack('base', cache)).toBeUndefined();
    expect(await findStack('base', join(cache, 'missing'))).toBeUndefined();
  });
});

describe('recipeHash', () => {
  it('differs between kinds and architectures', () => {
    const hashes = [hash, recipeHash('build', process.arch), recipeHash('base', 'riscv64')];
    expect(new Set(hashes).size).toBe(3);
  });
});
