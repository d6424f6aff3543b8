import { describe, expect, it } from 'vitest';
import { detectPythonPath } from './python-path.ts';
import { memoryTree } from './source-tree.ts';

const pathOf = (files: Record<string, string>, dependencies: readonly string[] = [], root = '') =>
  detectPythonPath(memoryTree(files), {
    root,
    files: Object.keys(files).filter((path) => /(settings|manage|wsgi|main)\.py$/.test(path)),
    dependencies,
  });

describe('what the project puts on the path itself', () => {
  it.each([
    'sys.path.append("apps")',
    'sys.path.insert(0, os.path.join(BASE_DIR, "apps"))',
    "sys.path.insert(0, str(ROOT_DIR / 'apps'))",
    'sys.path.append(os.path.join(os.path.dirname(__file__), "..", "apps"))',
    'sys.path += [str(BASE_DIR / "apps")]',
  ])('%s', (line) => {
    const found = pathOf({ 'site/settings.py': line, 'apps/blog/__init__.py': '' });
    expect(found.directories).toEqual(['', 'apps']);
    expect(found.findings).toMatchObject([{ rule: 'path', value: 'apps' }]);
  });

  it('counts only where there is such a directory in the source', () => {
    expect(pathOf({ 'manage.py': 'sys.path.append("nowhere")' }).directories).toEqual(['']);
    expect(pathOf({ 'manage.py': 'sys.path.append("/opt/lib")' }).directories).toEqual(['']);
    expect(pathOf({ 'manage.py': 'sys.path.append("../../etc")' }).directories).toEqual(['']);
  });
});

describe('modules that are imported by their bare name', () => {
  it('are found in a directory for them', () => {
    const files = { 'main.py': 'from worker import task', 'src/worker.py': '' };
    expect(pathOf(files).directories).toEqual(['', 'src']);
    const listed = {
      'settings.py': 'INSTALLED_APPS = ["blog.apps.Blog"]',
      'apps/blog/models.py': '',
    };
    expect(pathOf(listed).directories).toEqual(['', 'apps']);
  });

  it('are left alone when they lie at the root, or are installed', () => {
    expect(pathOf({ 'main.py': 'import a', 'a.py': '', 'src/a.py': '' }).directories).toEqual(['']);
    const files = { 'main.py': 'import markdown_it', 'lib/markdown_it/__init__.py': '' };
    expect(pathOf(files, ['markdown-it']).directories).toEqual(['']);
  });

  it('are looked for below the root of the app', () => {
    const files = { 'web/main.py': 'import a', 'web/lib/a.py': '', 'lib/a.py': '' };
    expect(pathOf(files, [], 'web').directories).toEqual(['web', 'web/lib']);
  });
});
