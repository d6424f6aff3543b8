import { describe, expect, it } from 'vitest';
import { detectSettingsHooks } from './settings-hook.ts';
import { memoryTree } from './source-tree.ts';

const hooksOf = (settings: string, others: Record<string, string> = {}) =>
  detectSettingsHooks(
    memoryTree({ 'site/settings.py': settings, ...others }),
    [''],
    ['site/settings.py'],
  ).files;

describe('a settings file that git ignores', () => {
  it.each([
    'site/local_settings.py.example',
    'site/local_settings.example.py',
    'site/local_settings_sample.py',
    'site/example_local_settings.py',
    'site/local_settings.py-dist',
  ])('is made from %s', (example) => {
    const text = 'DEBUG = False\n';
    const made = [{ path: 'site/local_settings.py', text }];
    for (const line of [
      'from .local_settings import *',
      'from site.local_settings import DEBUG',
      'from . import local_settings',
    ]) {
      expect(hooksOf(line, { [example]: text })).toEqual(made);
    }
  });

  it('is found at the root too', () => {
    const made = hooksOf('from local_settings import *', { 'local_settings.py.sample': 'A = 1' });
    expect(made).toEqual([{ path: 'local_settings.py', text: 'A = 1' }]);
  });

  it('is empty where a star import of the project itself finds no example', () => {
    expect(hooksOf('from .secrets import *')).toEqual([{ path: 'site/secrets.py', text: '' }]);
  });
});

describe('nothing is made', () => {
  it.each([
    ['of what is there', 'from .base import *', { 'site/base.py': '' }],
    ['of a package that is there', 'from .base import *', { 'site/base/x.py': '' }],
    [
      'of what the project can do without',
      'try:\n    from .local import *\nexcept ImportError:\n    pass',
      {},
    ],
    ['of what settings are made of', 'from .base import *', {}],
    ['of what must hold certain names', 'from .secrets import KEY', {}],
    ['of installed packages', 'from environ import *\nimport django.conf', {}],
  ])('%s', (_what, settings, others) => {
    expect(hooksOf(settings, others as Record<string, string>)).toEqual([]);
  });
});
