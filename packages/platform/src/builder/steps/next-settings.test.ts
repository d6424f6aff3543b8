import { TandemError } from '@tandem/protocol';
import { describe, expect, it } from 'vitest';
import { detect } from '../detect/detect.ts';
import { memoryTree } from '../detect/source-tree.ts';
import { nextSettings } from './next-settings.ts';

const MANAGE = 'from django.core.management import execute_from_command_line\n';
const detection = (toml = '') =>
  detect(
    memoryTree({
      'manage.py': MANAGE,
      'shop/wsgi.py': 'os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings.production")',
      'shop/settings/production.py': 'A = 1',
      'shop/settings/heroku.py': 'SECRET_KEY = "x"',
      'shop/settings/dev.py': 'A = 1',
      'tandem.toml': toml,
    }),
    { pythonVersions: ['3.12.1'], config: {} },
  );
const missing = new TandemError('MODULE_MISSING', 'Module "x" is not installed.', {
  where: 'shop/settings/production.py:1',
});

describe('after a settings module that cannot be imported', () => {
  it('the next one for production is tried, and the finding says why', () => {
    const next = nextSettings(detection(), missing);
    expect(next?.settings?.name).toBe('shop.settings.heroku');
    expect(next?.findings.filter(({ rule }) => rule === 'settings')).toEqual([
      {
        rule: 'settings',
        value: 'shop.settings.heroku',
        why: 'not shop.settings.production: Module "x" is not installed.',
        evidence: 'shop/settings/production.py:1',
      },
    ]);
  });

  it('none for development is', () => {
    const heroku = nextSettings(detection(), missing);
    expect(heroku && nextSettings(heroku, missing)).toBeUndefined();
  });

  it('none is when the user named it, or another would not help', () => {
    expect(
      nextSettings(detection('settings = "shop.settings.production"'), missing),
    ).toBeUndefined();
    const variable = new TandemError('VARIABLE_MISSING', 'KEY');
    expect(nextSettings(detection(), variable)).toBeUndefined();
    expect(nextSettings(detection(), new Error('x'))).toBeUndefined();
  });
});
