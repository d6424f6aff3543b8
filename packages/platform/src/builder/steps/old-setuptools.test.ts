import { describe, expect, it } from 'vitest';
import { constraintFor, wantsOldSetuptools } from './old-setuptools.ts';

describe('a build that fails for a setuptools too new', () => {
  it.each([
    "ImportError: cannot import name 'convert_path' from 'setuptools' (/x/__init__.py)",
    'error in demjson setup command: use_2to3 is invalid.',
    "AttributeError: module 'setuptools' has no attribute 'Feature'",
  ])('%s', (log) => {
    expect(wantsOldSetuptools(log)).toBe(true);
  });

  it.each([
    'fatal error: libpq-fe.h: No such file or directory',
    "ModuleNotFoundError: No module named 'imp'",
    "ImportError: cannot import name 'x' from 'mypackage'",
  ])('is not %s', (log) => {
    expect(wantsOldSetuptools(log)).toBe(false);
  });

  it('is given one as old as it needs', () => {
    expect(constraintFor("has no attribute 'Feature'")).toContain('setuptools<46');
    expect(constraintFor('use_2to3 is invalid')).toContain('setuptools<58');
  });
});
