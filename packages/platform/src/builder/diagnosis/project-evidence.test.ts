import { describe, expect, it } from 'vitest';
import { memoryTree } from '../detect/source-tree.ts';
import { emptySubmodules, ignoredFiles, ownModules, templates } from './project-evidence.ts';

describe('ownModules', () => {
  it('says in which directory each module lies, the shallow one first', () => {
    const tree = memoryTree({
      'manage.py': '',
      'shop/__init__.py': '',
      'shop/settings.py': '',
      'apps/orders/__init__.py': '',
      'apps/orders/models.py': '',
      'apps/settings.py': '',
      'README.md': '',
    });
    expect(ownModules(tree, '')).toMatchObject({
      manage: '',
      shop: '',
      settings: 'apps',
      orders: 'apps',
      models: 'apps/orders',
    });
  });

  it('counts from the root of the app', () => {
    const tree = memoryTree({ 'backend/shop/__init__.py': '', 'backend/manage.py': '' });
    expect(ownModules(tree, 'backend')).toEqual({ manage: '', shop: '' });
  });
});

describe('ignoredFiles', () => {
  it('reads lines that name one Python file', () => {
    const text = '# mine\n*.pyc\n/shop/local_settings.py\nsecrets.py \n!kept.py\nvenv/\n';
    expect(ignoredFiles(memoryTree({ '.gitignore': text }), '')).toEqual([
      'shop/local_settings.py',
      'secrets.py',
    ]);
  });

  it('also those of the root, seen from there', () => {
    const tree = memoryTree({
      '.gitignore': 'backend/shop/local.py\n',
      'backend/.gitignore': 'keys.py\n',
    });
    expect(ignoredFiles(tree, 'backend')).toEqual(['shop/local.py', 'keys.py']);
  });

  it('is empty without a .gitignore', () => {
    expect(ignoredFiles(memoryTree({}), '')).toEqual([]);
  });
});

it('emptySubmodules names those below which there is nothing', () => {
  const text = '[submodule "a"]\n\tpath = vendor/a\n\turl = x\n[submodule "b"]\n\tpath = b\n';
  expect(emptySubmodules(memoryTree({ '.gitmodules': text, 'b/x.py': '' }))).toEqual(['vendor/a']);
  expect(emptySubmodules(memoryTree({}))).toEqual([]);
});

describe('templates', () => {
  it('are the files that somebody has to copy', () => {
    const tree = memoryTree({
      'a/conf_example.py': '',
      'local.py.dist': '',
      'env.sample.yml': '',
      'there_example.py': '',
      'there.py': '',
      '.env.example': '',
      'template.html': '',
    });
    expect(templates(tree)).toEqual({
      'a/conf.py': 'a/conf_example.py',
      'local.py': 'local.py.dist',
      'env.yml': 'env.sample.yml',
      '.env': '.env.example',
    });
  });
});
