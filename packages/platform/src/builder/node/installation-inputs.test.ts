import { describe, expect, it } from 'vitest';
import { memoryTree } from '../detect/source-tree.ts';
import { installationInputs } from './installation-inputs.ts';

type Files = Record<string, string>;
const json = (content: object): string => JSON.stringify(content);
const inputs = (files: Files) =>
  installationInputs(memoryTree(files), { directory: '', lockFile: 'package-lock.json' });
const same = (one: Files, other: Files) =>
  expect(JSON.stringify(inputs(one)) === JSON.stringify(inputs(other)));

describe('what an installation depends on', () => {
  const plain = {
    'package-lock.json': '{}',
    'package.json': json({ dependencies: { a: '1' }, scripts: { build: 'x' } }),
    'src/site.js': 'one',
  };
  const workspaces = {
    'package-lock.json': '{}',
    'package.json': json({ workspaces: ['packages/*'] }),
    'packages/one/package.json': json({ name: 'one', dependencies: { b: '1' } }),
    'packages/one/index.js': 'one',
  };

  it('is not the code', () => {
    same(plain, { ...plain, 'src/site.js': 'two' }).toBe(true);
    same(workspaces, { ...workspaces, 'packages/one/index.js': 'two' }).toBe(true);
    const scripts = json({ dependencies: { a: '1' }, scripts: { build: 'y' } });
    same(plain, { ...plain, 'package.json': scripts }).toBe(true);
  });

  it.each<[string, Files]>([
    ['the lock', { 'package-lock.json': '{"x": 1}' }],
    ['settings', { '.npmrc': 'legacy-peer-deps=true' }],
    [
      'a workspace',
      { 'packages/one/package.json': json({ name: 'one', dependencies: { b: '2' } }) },
    ],
    ['another workspace', { 'packages/two/package.json': json({ name: 'two' }) }],
  ])('is %s', (_what, change) => {
    same(workspaces, { ...workspaces, ...change }).toBe(false);
  });

  it('is the content of packages that lie in the source', () => {
    const files = {
      ...plain,
      'web/x.js': '',
      'package.json': json({ dependencies: { shared: 'file:./lib/shared' } }),
      'lib/shared/index.js': 'one',
    };
    same(files, { ...files, 'lib/shared/index.js': 'two' }).toBe(false);
    same(files, { ...files, 'src/site.js': 'two' }).toBe(true);
  });

  it.each([
    ['husky install', false],
    ['husky || true', false],
    ["svelte-kit sync || echo ''", false],
    ['patch-package', false],
    ['prisma generate', false],
    ['npm run build', true],
    ['husky && node make.js', true],
  ])('is all of the source when nobody can tell what a hook does: %s', (hook, isOwn) => {
    const files = { ...plain, 'package.json': json({ scripts: { postinstall: hook } }) };
    expect(inputs(files).hasOwnHooks).toBe(isOwn);
  });

  it('is what a known hook reads', () => {
    const files = {
      ...plain,
      'package.json': json({ scripts: { postinstall: 'patch-package' } }),
      'patches/a.patch': 'one',
    };
    same(files, { ...files, 'patches/a.patch': 'two' }).toBe(false);
  });

  it('are the variables that registries need', () => {
    const npmrc = '//r.example/:_authToken=${NPM_TOKEN}';
    expect(inputs({ ...plain, '.npmrc': npmrc }).variables).toEqual(['NPM_TOKEN']);
  });
});
