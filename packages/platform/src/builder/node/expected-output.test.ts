import { describe, expect, it } from 'vitest';
import { memoryTree } from '../detect/source-tree.ts';
import { expectedOutput } from './expected-output.ts';
import { ignoredPaths, isIgnored } from './ignored-paths.ts';

type Files = Record<string, string>;
interface Texts {
  readonly tool?: string;
  readonly settings?: string;
  readonly outputs?: string[];
}
const expected = (files: Files, { tool = '', settings = '', outputs = [] }: Texts) =>
  expectedOutput(memoryTree(files), {
    directory: '',
    toolTexts: [tool],
    siteTexts: [settings],
    outputs,
  })?.path;

describe('ignoredPaths', () => {
  const files = {
    '.gitignore': '# x\n*.pyc\n/a/b/\nc/d\r\ne/\n!f\n/g/*\nnode_modules/\n/h/**/*.map\n',
    'web/.gitignore': '/dist\n',
  };

  it('are paths, with where they are ignored', () => {
    expect(ignoredPaths(memoryTree(files), 'web')).toEqual([
      { path: 'web/dist', isAnywhere: false, evidence: 'web/.gitignore:1' },
      { path: 'a/b', isAnywhere: false, evidence: '.gitignore:3' },
      { path: 'c/d', isAnywhere: false, evidence: '.gitignore:4' },
      { path: 'e', isAnywhere: true, evidence: '.gitignore:5' },
      { path: 'g', isAnywhere: false, evidence: '.gitignore:7' },
    ]);
  });

  it.each([
    ['a/b', true],
    ['a/b/x.js', true],
    ['a', false],
    ['deep/e/x', true],
    ['deep/g', false],
  ])('cover %s: %s', (path, covered) => {
    expect(isIgnored(ignoredPaths(memoryTree(files), ''), path) !== undefined).toBe(covered);
  });
});

describe('expectedOutput', () => {
  const tool = `dest('./static/build/css')`;
  const settings = `STATICFILES_DIRS = [os.path.join(BASE_DIR, "static/build")]`;
  const ignored = { '.gitignore': 'static/build/\n' };

  it('is ignored, missing, written by the tool and read by the settings', () => {
    expect(expected(ignored, { tool, settings })).toBe('static/build');
    const joined = `STATICFILES_DIRS = [BASE_DIR / "static" / 'build']`;
    expect(expected(ignored, { tool, settings: joined })).toBe('static/build');
  });

  it.each<[string, Files, Texts]>([
    ['not ignored', {}, { tool, settings }],
    ['there', { ...ignored, 'static/build/x.css': '' }, { tool, settings }],
    ['not written by the tool', ignored, { tool: `dest('./build')`, settings }],
    ['not read', ignored, { tool, settings: 'STATICFILES_DIRS = [BASE_DIR / "build"]' }],
    [
      'where the site collects',
      ignored,
      { tool, settings: 'STATIC_ROOT = BASE_DIR / "static" / "build"' },
    ],
    [
      'of tests',
      { '.gitignore': 'tests/my_output/\n' },
      { tool: '"my_output"', settings: '"my_output"' },
    ],
  ])('is none when it is %s', (_why, files, texts) => {
    expect(expected(files, texts)).toBeUndefined();
  });

  it('may be named by its last part, when that is a name of its own', () => {
    const files = { '.gitignore': '/shop/static_compiled\n' };
    const texts = {
      tool: `root + 'static_compiled/css'`,
      settings: `join(HERE, 'static_compiled')`,
    };
    expect(expected(files, texts)).toBe('shop/static_compiled');
  });

  it('may be the static directory of an app, which nobody names', () => {
    const files = { '.gitignore': 'shop/static/\n', 'shop/__init__.py': '' };
    expect(expected(files, { tool: `dest("shop/static/css")` })).toBe('shop/static');
    expect(expected({ '.gitignore': 'shop/static/\n' }, { tool: `dest("shop/static/css")` })).toBe(
      undefined,
    );
  });

  it('may be one file beside others that came along', () => {
    const files = { '.gitignore': 'static/js/bundle.js\n', 'static/js/site.js': '' };
    expect(expected(files, { outputs: ['static/js'] })).toBe('static/js/bundle.js');
    expect(expected(files, { outputs: ['static'] })).toBeUndefined();
  });
});
