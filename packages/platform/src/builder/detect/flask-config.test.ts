import { describe, expect, it } from 'vitest';
import { flaskConfig } from './flask-config.ts';
import { memoryTree } from './source-tree.ts';

type Files = Record<string, string>;
const READS = 'app.config.from_object(os.environ["APP_SETTINGS"])\n';
const CONFIG = 'class Config:\n    x = 1\nclass ProductionConfig(Config):\n    pass\n';
const given = (files: Files, root = '', pythonPath = [root]) =>
  flaskConfig(memoryTree(files), root, pythonPath, [`${root === '' ? '' : `${root}/`}app.py`]);

describe('the class of a Flask configuration', () => {
  it.each<[string, Files, string]>([
    ['config.py', { 'app.py': READS, 'config.py': CONFIG }, 'config.ProductionConfig'],
    [
      'a package',
      {
        'app.py': READS.replace('["APP_SETTINGS"]', '.get("APP_SETTINGS")'),
        'shop/config.py': CONFIG,
      },
      'shop.config.ProductionConfig',
    ],
    [
      'a short name',
      { 'app.py': READS, 'settings.py': 'class Dev:\n  pass\nclass Prod(Dev):\n  pass\n' },
      'settings.Prod',
    ],
    [
      'a module',
      { 'app.py': READS, 'config/dev.py': 'A = 1\n', 'config/production.py': 'A = 1\n' },
      'config.production',
    ],
  ])('in %s', (_, files, value) => {
    expect(given(files)).toMatchObject([{ name: 'APP_SETTINGS', value }]);
  });

  it('is named from the python path', () => {
    const files = { 'web/app.py': READS, 'web/config.py': CONFIG };
    expect(given(files, 'web')).toMatchObject([{ value: 'config.ProductionConfig' }]);
  });

  it.each<[string, Files]>([
    [
      'the variable has a default',
      { 'app.py': 'from_object(os.getenv("A", "config.Dev"))\n', 'config.py': CONFIG },
    ],
    ['nothing is for production', { 'app.py': READS, 'config.py': 'class Config:\n  pass\n' }],
    ['there is no configuration', { 'app.py': READS }],
    ['a name is given', { 'app.py': 'from_object("config.Config")\n', 'config.py': CONFIG }],
  ])('is not guessed where %s', (_, files) => {
    expect(given(files)).toEqual([]);
  });
});
