import { describe, expect, it } from 'vitest';
import { importGraph, importsOf } from './import-graph.ts';
import { memoryTree } from './source-tree.ts';

const files = {
  'web/site/settings/production.py':
    'from .base import *\nfrom site.extra import (\n  one,\n  two as b,\n)',
  'web/site/settings/base.py':
    'import os, site.paths as paths\nfrom .. import secrets\nimport django',
  'web/site/settings/__init__.py': '',
  'web/site/extra/__init__.py': '',
  'web/site/extra/one.py': 'from site.settings import base',
  'web/site/paths.py': 'def f():\n    from site import lazy',
  'web/site/lazy.py': '',
  'web/site/secrets.py': '',
  'web/site/other.py': 'import site.settings.base',
};
const tree = memoryTree(files);

describe('importGraph', () => {
  it('follows absolute, relative and listed imports, each file once', () => {
    expect(importGraph(tree, ['web'], ['web/site/settings/production.py'])).toEqual([
      'web/site/settings/production.py',
      'web/site/settings/base.py',
      'web/site/extra/__init__.py',
      'web/site/extra/one.py',
      'web/site/paths.py',
      'web/site/secrets.py',
      'web/site/settings/__init__.py',
      'web/site/lazy.py',
    ]);
  });

  it('ends at what the project does not hold', () => {
    expect(
      importGraph(memoryTree({ 'a.py': 'import b\nfrom . import c' }), [''], ['a.py']),
    ).toEqual(['a.py']);
  });
});

describe('importsOf', () => {
  it('knows what may never be imported', () => {
    const one = memoryTree({
      'a.py': 'try:\n    import b\nexcept ImportError:\n    b = None\nimport c',
    });
    expect(importsOf(one, [''], 'a.py')).toMatchObject([
      { module: 'b', certain: false, evidence: 'a.py:2' },
      { module: 'c', certain: true },
    ]);
  });

  it('is not fooled by texts', () => {
    expect(importsOf(memoryTree({ 'a.py': 'X = """\nimport b\n"""' }), [''], 'a.py')).toEqual([]);
  });
});
