import { describe, expect, it } from 'vitest';
import { detect, type DetectContext } from './detect.ts';
import { memoryTree } from './source-tree.ts';

const MANAGE = `import os
import sys
def main():
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mysite.settings")
    from django.core.management import execute_from_command_line
    execute_from_command_line(sys.argv)
`;
const wsgi = (settings: string): string => `import os
from django.core.wsgi import get_wsgi_application
os.environ.setdefault('DJANGO_SETTINGS_MODULE', '${settings}')
application = get_wsgi_application()
`;
const STARTPROJECT = {
  'manage.py': MANAGE,
  'mysite/__init__.py': '',
  'mysite/settings.py': 'DEBUG = True\n',
  'mysite/wsgi.py': wsgi('mysite.settings'),
};
const context: DetectContext = { pythonVersions: ['3.11.7', '3.12.1', '3.13.0'], config: {} };

const detectIn = (files: Record<string, string>, config = {}) =>
  detect(memoryTree(files), { ...context, config });
const refusal = (files: Record<string, string>): unknown => {
  try {
    return detectIn(files);
  } catch (error) {
    return error;
  }
};

describe('a Django project', () => {
  it('is recognised without any configuration', () => {
    const found = detectIn(STARTPROJECT);
    expect(found.root).toBe('');
    expect(found.settings?.name).toBe('mysite.settings');
    expect(found.pythonVersion).toBe('3.12.1');
    expect(found.findings).toContainEqual(
      expect.objectContaining({ rule: 'settings', evidence: 'mysite/wsgi.py:3' }),
    );
  });

  it('may lie in a sub-directory, its dependency file above it', () => {
    const moved: [string, string][] = Object.entries(STARTPROJECT).map(([path, text]) => [
      `site/${path}`,
      text,
    ]);
    const found = detectIn({ ...Object.fromEntries(moved), 'requirements.txt': 'Django>=5\n' });
    expect(found.root).toBe('site');
    expect(found.dependencies).toMatchObject({ kind: 'requirements', names: ['django'] });
  });

  it('is not any file called manage.py', () => {
    const found = detectIn({
      'manage.py': 'print("django.core.management")',
      'app.py': 'from flask import Flask\napp = Flask(__name__)',
    });
    expect(found.entry?.framework).toBe('flask');
  });

  it('must be the only one, or be named', () => {
    const two = { 'a/manage.py': MANAGE, 'b/manage.py': MANAGE, 'b/mysite/settings.py': 'X = 1' };
    expect(refusal(two)).toMatchObject({
      code: 'NO_APP_DETECTED',
      where: 'a/manage.py, b/manage.py',
    });
    expect(detectIn({ ...two, 'tandem.toml': 'root = "b"' }).root).toBe('b');
  });

  it('prefers wsgi.py over manage.py, and production over development', () => {
    const split = {
      'manage.py': MANAGE.replace('mysite.settings', 'mysite.settings.dev'),
      'mysite/settings/__init__.py': '',
      'mysite/settings/base.py': 'A = 1',
      'mysite/settings/dev.py': 'DEBUG = True',
      'mysite/settings/live.py': 'DEBUG = False',
    };
    expect(
      detectIn({ ...split, 'mysite/wsgi.py': wsgi('mysite.settings.live') }).settings?.name,
    ).toBe('mysite.settings.live');
    const production = { ...split, 'mysite/settings/production.py': 'DEBUG = False' };
    expect(
      detectIn({ ...production, 'mysite/wsgi.py': wsgi('mysite.settings.dev') }).settings?.name,
    ).toBe('mysite.settings.production');
  });

  it('finds settings by their name where nothing names them, and only what looks like it', () => {
    const files = {
      'manage.py': 'from django.core.management import execute_from_command_line',
      'shop/site_settings.py': 'class SiteSettings: pass',
      'shop/settings/base.py': 'INSTALLED_APPS = []',
      'shop/settings/development.py': 'from .base import *',
      'shop/settings/heroku.py': 'from .base import *',
    };
    expect(detectIn(files).settings?.name).toBe('shop.settings.heroku');
  });

  it('passes over a settings module that is empty or missing', () => {
    const files = { ...STARTPROJECT, 'mysite/wsgi.py': wsgi('mysite.gone') };
    expect(detectIn(files).settings?.name).toBe('mysite.settings');
    const empty = { ...STARTPROJECT, 'mysite/settings.py': '# nothing\n' };
    expect(refusal(empty)).toMatchObject({ code: 'SETTINGS_MODULE_WRONG' });
  });

  it('takes the word of the user over its own', () => {
    const files = { ...STARTPROJECT, 'mysite/other.py': 'X = 1' };
    expect(detectIn(files, { DJANGO_SETTINGS_MODULE: 'mysite.other' }).settings?.name).toBe(
      'mysite.other',
    );
    const wrong = { ...STARTPROJECT, 'tandem.toml': 'settings = "mysite.nope"' };
    expect(refusal(wrong)).toMatchObject({ code: 'SETTINGS_MODULE_WRONG', where: 'tandem.toml' });
  });
});

describe('an application without Django', () => {
  const cases: [string, Record<string, string>, object][] = [
    [
      'Flask',
      { 'app.py': 'import flask\napp = flask.Flask(__name__)\n' },
      { module: 'app', attribute: 'app', framework: 'flask', kind: 'wsgi' },
    ],
    [
      'FastAPI in a package',
      {
        'service/main.py':
          'from fastapi import FastAPI\napi: FastAPI = FastAPI(\n  title="x",\n)\n',
        'service/__init__.py': '',
      },
      { module: 'service.main', attribute: 'api', kind: 'asgi' },
    ],
    [
      'a factory',
      {
        'flaskr/__init__.py':
          'from flask import Flask\ndef create_app(config=None):\n    app = Flask(__name__)\n    return app\n',
      },
      { module: 'flaskr', attribute: 'create_app', factory: true, framework: 'flask' },
    ],
    [
      'a called factory',
      {
        'wsgi.py': 'from flaskr import create_app\napp = create_app()\n',
        'flaskr/__init__.py':
          'from flask import Flask\ndef create_app():\n    return Flask(__name__)\n',
      },
      { module: 'wsgi', attribute: 'app', factory: false, framework: 'flask' },
    ],
    [
      'an imported one',
      {
        'asgi.py': 'from api.core import app\n',
        'api/core.py':
          'from starlette.applications import Starlette\nx = 1\ndef make():\n    return Starlette()\n',
      },
      { module: 'asgi', attribute: 'app', kind: 'asgi' },
    ],
    [
      'plain WSGI',
      { 'hello.py': 'def application(environ, start_response):\n    return []\n' },
      { module: 'hello', attribute: 'application', kind: 'wsgi', framework: 'wsgi' },
    ],
    [
      'plain ASGI',
      { 'hello.py': 'async def app(scope, receive, send):\n    pass\n' },
      { attribute: 'app', kind: 'asgi', framework: 'asgi' },
    ],
    [
      'src layout',
      { 'src/shop/web.py': 'from flask import Flask\napp = Flask("shop")\n' },
      { module: 'shop.web', pathEntry: 'src' },
    ],
  ];
  it.each(cases)('%s', (_name, files, expected) => {
    expect(detectIn(files).entry).toMatchObject(expected);
  });

  it('may lie deep, in packages below a directory of their own', () => {
    const files = {
      'pyproject.toml': '[project]\nname = "shop"\nversion = "1"\ndependencies = ["litestar"]\n',
      'src/py/shop/__init__.py': '',
      'src/py/shop/server/__init__.py': '',
      'src/py/shop/server/asgi.py':
        'def create_app():\n    from litestar import Litestar\n    return Litestar()\n',
      'src/py/tests/app.py': 'from flask import Flask\napp = Flask(__name__)\n',
    };
    expect(detectIn(files).entry).toMatchObject({
      module: 'shop.server.asgi',
      attribute: 'create_app',
      kind: 'asgi',
      factory: true,
      pathEntry: 'src/py',
    });
  });

  it('is asked for by name when nothing is found', () => {
    expect(refusal({ 'README.md': 'hi' })).toMatchObject({ code: 'NO_APP_DETECTED' });
    expect(refusal({ 'app.py': '# app = Flask(__name__)' })).toMatchObject({
      code: 'NO_APP_DETECTED',
    });
  });

  it('may be known by its Procfile alone', () => {
    const found = detectIn({
      Procfile: 'web: ./serve --port $PORT\nbeat: ./beat\nrelease: ./prepare\n',
    });
    expect(found.entry).toBeUndefined();
    expect(found.named.processes).toMatchObject({
      web: { kind: 'web' },
      beat: { kind: 'singleton' },
    });
    expect(found.named.releaseCommands).toEqual(['./prepare']);
  });

  it('wants a database when it reads DATABASE_URL or has a driver', () => {
    const app = 'import os\nfrom flask import Flask\napp = Flask(__name__)\n';
    expect(detectIn({ 'app.py': app }).wantsDatabase).toBe(false);
    expect(detectIn({ 'app.py': `${app}URL = os.environ["DATABASE_URL"]\n` }).wantsDatabase).toBe(
      true,
    );
    expect(detectIn({ 'app.py': app, 'requirements.txt': 'psycopg[binary]\n' }).wantsDatabase).toBe(
      true,
    );
  });
});

describe('dependency files', () => {
  const flask = { 'app.py': 'from flask import Flask\napp = Flask(__name__)\n' };

  it('lock, then pyproject, then requirements', () => {
    const requirements = {
      ...flask,
      'requirements.txt': '-r more.txt\nFlask\n',
      'more.txt': 'Click==8.1\n',
    };
    expect(detectIn(requirements).dependencies).toMatchObject({
      kind: 'requirements',
      files: ['requirements.txt', 'more.txt'],
      names: ['flask', 'click'],
    });
    const pyproject = {
      ...requirements,
      'pyproject.toml': '[project]\nname = "x"\nversion = "1"\ndependencies = ["flask>=3"]\n',
    };
    expect(detectIn(pyproject).dependencies.kind).toBe('pyproject');
    const lock = {
      ...pyproject,
      'uv.lock': 'version = 1\n[[package]]\nname = "Flask"\nversion = "3.0"\n',
    };
    expect(detectIn(lock).dependencies).toMatchObject({ kind: 'uv-lock', names: ['flask'] });
  });

  it('passes over a pyproject.toml that only configures tools', () => {
    const files = {
      ...flask,
      'pyproject.toml': '[tool.black]\nline-length = 100\n',
      'requirements.txt': 'flask\n',
    };
    expect(detectIn(files).dependencies.kind).toBe('requirements');
    expect(detectIn(flask).dependencies.requirements).toBe('flask\n');
  });

  it('names the line of an include that is missing or leaves the source', () => {
    expect(refusal({ ...flask, 'requirements.txt': 'flask\n-r gone.txt\n' })).toMatchObject({
      code: 'REQUIREMENTS_INVALID',
      where: 'requirements.txt:2',
    });
    expect(refusal({ ...flask, 'requirements.txt': '-r ../../etc/passwd\n' })).toMatchObject({
      code: 'REQUIREMENTS_INVALID',
      where: 'requirements.txt:1',
    });
  });

  it('names the line that breaks a pyproject.toml', () => {
    expect(refusal({ ...flask, 'pyproject.toml': '[project]\nname = \n' })).toMatchObject({
      code: 'PYPROJECT_INVALID',
      where: 'pyproject.toml:2 name =',
    });
    expect(
      refusal({ ...flask, 'pyproject.toml': '[project]\ndependencies = "flask"\n' }),
    ).toMatchObject({ code: 'PYPROJECT_INVALID' });
  });
});

describe('the Python version', () => {
  const flask = { 'app.py': 'from flask import Flask\napp = Flask(__name__)\n' };
  const versionOf = (files: Record<string, string>) =>
    detectIn({ ...flask, ...files }).pythonVersion;

  it('is what the project asks for', () => {
    expect(versionOf({ '.python-version': '3.11\n' })).toBe('3.11.7');
    expect(versionOf({ 'runtime.txt': 'python-3.13.2' })).toBe('3.13.0');
    expect(
      versionOf({ 'pyproject.toml': '[project]\nname="x"\nrequires-python = "<3.12"\n' }),
    ).toBe('3.11.7');
    expect(versionOf({ 'pyproject.toml': '[tool.poetry.dependencies]\npython = "^3.13"\n' })).toBe(
      '3.13.0',
    );
    expect(versionOf({ 'tandem.toml': 'python = "3.13"' })).toBe('3.13.0');
  });

  it('is refused with what there is', () => {
    expect(refusal({ ...flask, 'tandem.toml': 'python = "3.7.2"' })).toMatchObject({
      code: 'PYTHON_UNAVAILABLE',
      where: 'tandem.toml',
      hint: expect.stringContaining('3.11.7, 3.12.1, 3.13.0') as string,
    });
    expect(
      refusal({ ...flask, 'pyproject.toml': '[project]\nname="x"\nrequires-python = ">=4"\n' }),
    ).toMatchObject({ code: 'PYTHON_UNAVAILABLE' });
  });

  it('says so when two files contradict each other', () => {
    const files = {
      ...flask,
      '.python-version': '3.11',
      'pyproject.toml': '[project]\nname="x"\nrequires-python=">=3.12"\n',
    };
    expect(detectIn(files).findings).toContainEqual(
      expect.objectContaining({
        rule: 'python',
        why: expect.stringContaining('.python-version asks for 3.11') as string,
      }),
    );
  });
});

describe('tandem.toml and Procfile', () => {
  const flask = { 'app.py': 'from flask import Flask\napp = Flask(__name__)\n' };

  it('refuse what they do not know, with the line', () => {
    const toml = (text: string) => refusal({ ...flask, 'tandem.toml': text });
    const code = 'TANDEM_TOML_INVALID';
    expect(toml('python = "3.12"\npythn = "3.12"\n')).toMatchObject({
      code,
      where: 'tandem.toml:2',
      message: expect.stringContaining('pythn') as string,
    });
    expect(toml('overlay = "no"\n')).toMatchObject({ code, where: 'tandem.toml:1' });
    expect(toml('[processes]\nWeb = "x"\n')).toMatchObject({ code });
    expect(toml('root = \n')).toMatchObject({ code, where: 'tandem.toml:1 root =' });
    expect(refusal({ ...flask, 'pyproject.toml': '[tool.tandem]\nnope = 1\n' })).toMatchObject({
      code,
      where: 'pyproject.toml:2',
    });
  });

  it.each([
    ['web gunicorn', 'Procfile:1'],
    ['web: a\n\nweb: b', 'Procfile:3'],
    ['# nothing', 'Procfile:1'],
    ['web:', 'Procfile:1'],
  ])('refuse the Procfile %j', (text, where) => {
    expect(refusal({ ...flask, Procfile: text })).toMatchObject({
      code: 'PROCFILE_INVALID',
      where,
    });
  });

  it('leave out what only a developer runs', () => {
    const found = detectIn({
      ...flask,
      Procfile: 'web: python manage.py runserver\nworker: celery -A x worker\n',
    });
    expect(Object.keys(found.named.processes)).toEqual(['worker']);
  });
});
