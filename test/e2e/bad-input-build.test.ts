// A source that cannot be built: each mistake is refused with its true cause, its place and the next
// command, and the release that serves never notices.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sharedInstallation } from '../support/installation.ts';
import { StandingSite, type Files, type Refusal } from '../support/standing-site.ts';
import { FLASK_REQUIREMENTS, TINY_DJANGO, TINY_FLASK } from '../support/tiny-projects.ts';

type Case = readonly [name: string, changes: Files, refusal: Refusal];

const flaskApp = (text: string): Files => ({
  'app.py': `from flask import Flask\n${text}\napp = Flask(__name__)\n`,
});
const settings = (text: string): Files => ({
  'site_one/settings.py': `${TINY_DJANGO['site_one/settings.py']}${text}\n`,
});

const FLASK: readonly Case[] = [
  [
    'a requirement line that cannot be parsed',
    { 'requirements.txt': `${FLASK_REQUIREMENTS}requests==>2\n` },
    {
      code: 'REQUIREMENTS_INVALID',
      what: /requests==>2/,
      where: 'requirements.txt:3',
      fix: /NAME==VERSION/,
    },
  ],
  [
    'a package that nobody published',
    { 'requirements.txt': `${FLASK_REQUIREMENTS}flask-of-nobody-at-all==1.0\n` },
    {
      code: 'REQUIREMENTS_UNSATISFIABLE',
      what: /flask-of-nobody-at-all/,
      where: 'requirements.txt:3',
      fix: /spelling/,
    },
  ],
  [
    'versions that exclude each other',
    { 'requirements.txt': `${FLASK_REQUIREMENTS}werkzeug==2.0.0\n` },
    {
      code: 'REQUIREMENTS_UNSATISFIABLE',
      what: /flask==3\.1\.0.*werkzeug|werkzeug.*flask==3\.1\.0/,
      where: /^requirements\.txt:[13]$/,
      fix: /loosen/,
    },
  ],
  [
    'a module that is not installed',
    flaskApp('import bs4'),
    {
      code: 'MODULE_MISSING',
      what: /"bs4"/,
      where: /^app\.py:2 import bs4$/,
      fix: /beautifulsoup4/,
    },
  ],
  [
    'a variable that is not set',
    flaskApp('import os\nTOKEN = os.environ["BAKERY_TOKEN"]'),
    {
      code: 'VARIABLE_MISSING',
      what: /BAKERY_TOKEN/,
      where: /^app\.py:3 /,
      fix: /tandem config set .*BAKERY_TOKEN=/,
    },
  ],
  [
    'an error at import',
    flaskApp('PRICE = int("twelve")'),
    { code: 'IMPORT_FAILED', what: /ValueError: .*'twelve'/, where: /^app\.py:2 /, fix: /deploy/ },
  ],
  [
    'a syntax error',
    flaskApp('PRICES = = 2'),
    { code: 'IMPORT_FAILED', what: /SyntaxError/, where: /^app\.py:2/, fix: /deploy/ },
  ],
  [
    'a bracket that is never closed',
    flaskApp('PRICES = [1, 2'),
    {
      code: 'IMPORT_FAILED',
      what: /SyntaxError in app\.py/,
      where: /^app\.py:2 PRICES/,
      fix: /deploy/,
    },
  ],
  [
    'a malformed Procfile',
    { Procfile: 'web: gunicorn app:app\nworker python work.py\n' },
    { code: 'PROCFILE_INVALID', what: /worker python/, where: 'Procfile:2', fix: /NAME: COMMAND/ },
  ],
  [
    'a tandem.toml that is no TOML',
    { 'tandem.toml': 'python = "3.12"\nentry = app:app\n' },
    {
      code: 'TANDEM_TOML_INVALID',
      what: /tandem\.toml:2/,
      where: 'tandem.toml:2 entry = app:app',
      fix: /line 2.*quotes/,
    },
  ],
  [
    'an unknown key in tandem.toml',
    { 'tandem.toml': 'python = "3.12"\n\nentrypoint = "app:app"\n' },
    {
      code: 'TANDEM_TOML_INVALID',
      what: /"entrypoint"/,
      where: 'tandem.toml:3',
      fix: /known keys: .*entry/,
    },
  ],
  [
    'a malformed pyproject.toml',
    { 'pyproject.toml': '[project]\nname = "x\n' },
    {
      code: 'PYPROJECT_INVALID',
      what: /pyproject\.toml:2/,
      where: 'pyproject.toml:2 name = "x',
      fix: /line 2/,
    },
  ],
  [
    'an entry that does not exist',
    { 'tandem.toml': 'entry = "app:application"\n' },
    {
      code: 'IMPORT_FAILED',
      what: /"app" has no "application"/,
      where: /^tandem\.toml app:application/,
      fix: /entry = /,
    },
  ],
  [
    'a Python that is not to be had',
    { 'tandem.toml': 'python = "2.7"\n' },
    { code: 'PYTHON_UNAVAILABLE', what: /2\.7/, where: 'tandem.toml', fix: /python = / },
  ],
  [
    'nothing that looks like an app',
    { 'app.py': 'print("hello")\n' },
    {
      code: 'NO_APP_DETECTED',
      what: /one Python file holds no application/,
      fix: /entry = |Procfile/,
    },
  ],
  [
    'an import that takes all memory',
    flaskApp(
      'hoard = bytearray(4 * 1024 ** 3)\nfor at in range(0, len(hoard), 4096): hoard[at] = 1',
    ),
    { code: 'OUT_OF_MEMORY', what: /2048 MiB/, fix: /at import/ },
  ],
  [
    'a build that writes more than its disk holds',
    flaskApp(
      'import os\nwith open("/app/dump", "wb") as dump:\n    os.posix_fallocate(dump.fileno(), 0, 9 * 1024 ** 3)',
    ),
    {
      code: 'DISK_FULL',
      what: /disk of the build is full/,
      where: /^app\.py:4 os\.posix_fallocate/,
      fix: /8 GiB/,
    },
  ],
];

const DJANGO: readonly Case[] = [
  [
    'a settings module that is not there',
    { 'tandem.toml': 'settings = "site_one.production"\n' },
    {
      code: 'SETTINGS_MODULE_WRONG',
      what: /"site_one\.production"/,
      where: /tandem\.toml/,
      fix: /settings = /,
    },
  ],
  [
    'a settings module that imports one that is not there',
    { 'site_one/settings.py': 'from site_one.base import *\n' },
    {
      code: 'MODULE_MISSING',
      what: /"site_one\.base" is not in the source/,
      where: /^site_one\/settings\.py:1 /,
      fix: /site_one\/base\.py/,
    },
  ],
  [
    'a variable that the settings need',
    settings('import os\nSTRIPE_KEY = os.environ["STRIPE_KEY"]'),
    {
      code: 'VARIABLE_MISSING',
      what: /STRIPE_KEY/,
      where: /^site_one\/settings\.py:\d+ /,
      fix: /tandem config set .*STRIPE_KEY=/,
    },
  ],
  [
    'an installed app that is not installed',
    settings('INSTALLED_APPS += ["rest_framework"]'),
    {
      code: 'MODULE_MISSING',
      what: /"rest_framework"/,
      where: 'INSTALLED_APPS in site_one.settings',
      fix: /djangorestframework/,
    },
  ],
  [
    'an error in the models',
    { 'notes/models.py': `${TINY_DJANGO['notes/models.py']}    size = models.Missing()\n` },
    {
      code: 'IMPORT_FAILED',
      what: /AttributeError.*Missing/,
      where: /^notes\/models\.py:\d+ /,
      fix: /deploy/,
    },
  ],
];

const t = await sharedInstallation();

describe('a Flask app', () => {
  let site: StandingSite;
  beforeAll(async () => {
    site = await StandingSite.deploy(t, 'build-flask', TINY_FLASK);
  });
  afterAll(() => site.destroy());

  it.each(FLASK)('refuses %s', async (_name, changes, refusal) => {
    await site.refuses(changes, refusal);
  });

  it('is none the worse for it', async () => {
    await site.deployGood();
    expect((await t.get(site.app)).body).toBe('good');
  });
});

describe('a Django site', () => {
  let site: StandingSite;
  beforeAll(async () => {
    site = await StandingSite.deploy(t, 'build-django', TINY_DJANGO);
  });
  afterAll(() => site.destroy());

  it.each(DJANGO)('refuses %s', async (_name, changes, refusal) => {
    await site.refuses(changes, refusal);
  });
});
