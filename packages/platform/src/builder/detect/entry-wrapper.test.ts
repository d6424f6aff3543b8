import { describe, expect, it } from 'vitest';
import { detect } from './detect.ts';
import { memoryTree } from './source-tree.ts';

const detectIn = (files: Record<string, string>) =>
  detect(memoryTree(files), { pythonVersions: ['3.12.1'], config: {} });

describe('an application without a name', () => {
  it('of Bottle is asked for by a module that is made', () => {
    const found = detectIn({
      'web/app.py': 'from bottle import route, run\n@route("/")\ndef index():\n    return "x"\n',
      'web/requirements.txt': 'bottle',
    });
    expect(found.entry).toMatchObject({ module: 'tandem_entry', attribute: 'application' });
    const [made] = found.madeFiles;
    expect(made?.path).toBe('web/tandem_entry.py');
    expect(made?.text).toContain('import_module("app")');
    expect(made?.text).toContain('bottle.default_app()');
    expect(found.findings).toContainEqual(
      expect.objectContaining({ rule: 'entry', evidence: 'web/app.py:2' }),
    );
  });

  it('of web.py', () => {
    const found = detectIn({ 'code.py': 'import web\napp = web.application(urls, globals())\n' });
    expect(found.madeFiles[0]?.text).toContain('module.app.wsgifunc()');
  });

  it('of Pyramid, from its paste file', () => {
    const files = { 'setup.py': '', 'production.ini': '[app:main]\nuse = egg:shop\n' };
    expect(detectIn(files).madeFiles[0]?.text).toContain('get_app(path)');
  });

  it('is not made where there is one with a name', () => {
    const text = 'import bottle\napp = bottle.Bottle()\n@bottle.route("/")\ndef a(): pass\n';
    expect(detectIn({ 'app.py': text })).toMatchObject({ madeFiles: [], entry: { module: 'app' } });
  });
});
