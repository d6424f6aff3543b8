import { describe, expect, it } from 'vitest';
import { detect, type Detection } from './detect.ts';
import { equivalentToml } from './equivalent-toml.ts';
import { memoryTree } from './source-tree.ts';

const MANAGE = 'import sys\nfrom django.core.management import execute_from_command_line\n';
const WSGI = "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'shop.settings')\n";
const SETTINGS = "SECRET_KEY = 'x'\nINSTALLED_APPS = []\nROOT_URLCONF = 'shop.urls'\n";
const DJANGO = {
  'manage.py': MANAGE,
  'shop/__init__.py': '',
  'shop/settings.py': SETTINGS,
  'shop/wsgi.py': WSGI,
};
const below = (directory: string, files: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(files).map(([path, text]) => [`${directory}/${path}`, text]));
const FLASK = 'from flask import Flask\napp = Flask(__name__)\n';

const PROJECTS: Readonly<Record<string, Record<string, string>>> = {
  'Django as it is started': DJANGO,
  'Django in a sub-directory, two versions of Python': {
    ...below('backend', DJANGO),
    'backend/requirements.txt': 'Django\n',
    '.python-version': '3.11\n',
  },
  'Django with a Procfile that releases and works': {
    ...DJANGO,
    'requirements/base.txt': 'Django\ncelery\n',
    'requirements/production.txt': '-r base.txt\n',
    Procfile:
      'web: gunicorn shop.wsgi\nworker: celery -A shop worker\nrelease: python manage.py migrate && python manage.py loaddata start\n',
  },
  Flask: { 'app.py': FLASK, 'requirements.txt': 'flask\npsycopg2-binary\n' },
  'a factory': {
    'site/__init__.py': 'from flask import Flask\ndef create_app():\n    return Flask(__name__)\n',
    'wsgi.py': 'from site import create_app\napplication = create_app()\n',
  },
  'FastAPI in src': {
    'src/api/__init__.py': '',
    'src/api/main.py': 'from fastapi import FastAPI\napp = FastAPI()\n',
    'pyproject.toml':
      '[project]\nname = "api"\nversion = "1"\nrequires-python = ">=3.12"\ndependencies = ["fastapi"]\n',
  },
  'only a Procfile, with a name that tandem.toml does not take': {
    'run.sh': '',
    Procfile: 'web: ./run.sh\nMy_Worker: ./work.sh\n',
  },
  'an epio.ini': {
    'shop/__init__.py': '',
    'shop/web.py': FLASK,
    'epio.ini':
      '[wsgi]\nentrypoint = shop.web:app\nrequirements = deps.txt\n[env]\nSHOP = one\n[process-work]\ncommand = python work.py\n',
    'deps.txt': 'flask\n',
  },
  'a site of files': { 'public/index.html': '<p>hello</p>', 'public/a.css': '' },
  'a tandem.toml of its own': {
    'app.py': FLASK,
    'tandem.toml':
      'python = ">=3.11"\nstatic = false\nrelease = ["./load.sh"]\n[processes]\nweb = "gunicorn app:app"\n',
  },
};
const context = { pythonVersions: ['3.11.7', '3.12.1', '3.13.0'], config: {} };

/** Without what only says where and why. */
const valuesOf = ({ root, pythonVersion, settings, entry, named, ...rest }: Detection) => ({
  root,
  pythonVersion,
  settings: settings && { name: settings.name, file: settings.file },
  entry: entry && {
    module: entry.module,
    attribute: entry.attribute,
    kind: entry.kind,
    framework: entry.framework,
    factory: entry.factory,
    pathEntry: entry.pathEntry,
  },
  processes: named.processes,
  release: named.releaseCommands ?? [],
  dependencies: {
    kind: rest.dependencies.kind,
    files: rest.dependencies.files,
    directory: rest.dependencies.directory,
  },
  wantsDatabase: rest.wantsDatabase,
});

describe('equivalentToml', () => {
  it.each(Object.entries(PROJECTS))('says the same of: %s', (_name, files) => {
    const first = detect(memoryTree(files), context);
    const toml = equivalentToml(first);
    const second = detect(memoryTree({ ...files, 'tandem.toml': toml }), context);
    expect(valuesOf(second)).toEqual(valuesOf(first));
    // And keeping it once more changes nothing.
    expect(
      valuesOf(detect(memoryTree({ ...files, 'tandem.toml': equivalentToml(second) }), context)),
    ).toEqual(valuesOf(first));
  });

  it('gives each value its reason', () => {
    const toml = equivalentToml(detect(memoryTree(DJANGO), context));
    expect(toml).toContain('settings = "shop.settings"  # named by shop/wsgi.py: shop/wsgi.py:2');
    expect(toml).toContain('python = "3.12"');
    expect(toml).not.toContain('root');
  });

  it('keeps what the project says itself', () => {
    const toml = equivalentToml(
      detect(memoryTree(PROJECTS['a tandem.toml of its own'] ?? {}), context),
    );
    expect(toml).toContain('static = false');
    expect(toml).toContain('python = ">=3.11"');
  });
});
