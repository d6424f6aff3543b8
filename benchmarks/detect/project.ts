// Projects of a given number of files as they are found in the wild: packages of a hundred lines
// each, migrations, templates, assets. Always the same, so that runs compare.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const MODULES = ['models', 'views', 'forms', 'admin', 'urls', 'tasks', 'signals', 'services'];
const FUNCTIONS_PER_MODULE = 12;

export interface Project {
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
}

export function djangoProject(fileCount: number): Project {
  const files: Record<string, string> = {
    'manage.py': 'import sys\nfrom django.core.management import execute_from_command_line\n',
    'shop/__init__.py': '',
    'shop/settings/__init__.py': '',
    'shop/settings/base.py': settings(),
    'shop/settings/production.py': 'from .base import *\nDEBUG = False\n',
    'shop/settings/local.py': 'from .base import *\nDEBUG = True\n',
    'shop/wsgi.py':
      "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'shop.settings.local')\n",
    'requirements/base.txt': 'django==5.2\n',
    'requirements/production.txt': '-r base.txt\ngunicorn\n',
    Procfile: 'web: gunicorn shop.wsgi\n',
  };
  return { name: 'django', files: filled(files, fileCount, 'apps/') };
}

export function flaskProject(fileCount: number): Project {
  const files: Record<string, string> = {
    'requirements.txt': 'flask\nflask-sqlalchemy\n',
    'wsgi.py': 'from website import create_app\napplication = create_app()\n',
    'website/__init__.py':
      'from flask import Flask\n\ndef create_app():\n    app = Flask(__name__)\n    return app\n',
  };
  return { name: 'flask', files: filled(files, fileCount, 'website/') };
}

/** The application is in the file that is looked at last. */
export function plainProject(fileCount: number): Project {
  const files: Record<string, string> = {};
  for (let number = 0; number < fileCount - 1; number += 1) {
    files[`lib${number % 40}/part${number}.py`] = moduleText(`part${number}`);
  }
  files['zz/zz/last.py'] = 'def application(environ, start_response):\n    return []\n';
  return { name: 'plain', files };
}

export function writeProject({ files }: Project, directory: string): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(directory, dirname(path)), { recursive: true });
    writeFileSync(join(directory, path), text);
  }
}

function filled(
  files: Record<string, string>,
  fileCount: number,
  below: string,
): Record<string, string> {
  for (let part = 0; Object.keys(files).length < fileCount; part += 1) {
    const at = `${below}part${part}`;
    files[`${at}/__init__.py`] = '';
    for (const name of MODULES) files[`${at}/${name}.py`] = moduleText(`${name}${part}`);
    for (let number = 1; number <= 4; number += 1) {
      files[`${at}/migrations/000${number}_step.py`] = moduleText(`step${number}`);
      files[`${at}/templates/part${part}/page${number}.html`] = '<p>{{ value }}</p>\n'.repeat(40);
      files[`${at}/static/part${part}/${number}.css`] = 'p { margin: 0 }\n'.repeat(60);
    }
  }
  return Object.fromEntries(Object.entries(files).slice(0, fileCount));
}

function moduleText(name: string): string {
  const one = (number: number): string =>
    [
      `def ${name}_${number}(request, value="a, #${number}"):`,
      `    """What ${name} does, told (at some length)."""`,
      '    rows = [row for row in request.rows  # those that count',
      `            if row["kind"] == '${name}']`,
      '    return {"rows": rows, "count": len(rows), "label": value.strip()}',
      '',
    ].join('\n');
  const functions = Array.from({ length: FUNCTIONS_PER_MODULE }, (_, number) => one(number));
  return ['import os', 'from datetime import timedelta', '', ...functions].join('\n');
}

function settings(): string {
  return [
    'import os',
    'from pathlib import Path',
    'BASE_DIR = Path(__file__).resolve().parent.parent',
    "SECRET_KEY = os.environ['SECRET_KEY']",
    "INSTALLED_APPS = ['django.contrib.staticfiles']",
    "DATABASES = {'default': {'ENGINE': 'django.db.backends.sqlite3', 'NAME': BASE_DIR / 'db'}}",
    "MEDIA_ROOT = BASE_DIR / 'media'",
    "ROOT_URLCONF = 'shop.urls'",
    '',
  ].join('\n');
}
