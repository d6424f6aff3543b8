// What the real libraries write (texts/, made by texts/make.py) and the cause that it shows.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { diagnose, examine, type DiagnosisInput } from './diagnose.ts';

type Expected = readonly [code: string, message: RegExp, hint: RegExp, where?: RegExp];

const textOf = (name: string): string =>
  readFileSync(new URL(`texts/${name}.txt`, import.meta.url), 'utf8');
const start: Omit<DiagnosisInput, 'logTail'> = { phase: 'start', pythonVersion: '3.12.1' };
const django = { ...start, settingsModule: 'shop.settings' };
const old = { ...start, pythonVersion: '3.8.18' };
const build = { ...django, phase: 'build' } as const;
const probe = { ...start, phase: 'probe' } as const;
const installed = { django: '5.2.8', requests: '2.32.5', werkzeug: '3.1.3', flask: '3.1.0' };

const CASES: Readonly<Record<string, readonly [Omit<DiagnosisInput, 'logTail'>, ...Expected]>> = {
  // Python
  'module-of-python-2': [start, 'VERSION_MISMATCH', /"urllib2"/, /urllib\.request/, /main\.py:1/],
  'print-statement': [start, 'VERSION_MISMATCH', /print/, /Python 3/, /other\.py:1/],
  'except-comma': [start, 'VERSION_MISMATCH', /except X, name/, /Python 3/, /main\.py:3/],
  'match-on-old-python': [old, 'VERSION_MISMATCH', /match.*3\.10/, /python = "3\.10"/],
  'union-on-old-python': [old, 'VERSION_MISMATCH', /X \| None/, /python = "3\.10"/, /main\.py:1/],
  'list-on-old-python': [old, 'VERSION_MISMATCH', /list\[int\]/, /python = "3\.9"/],
  'tomllib-on-old-python': [old, 'VERSION_MISMATCH', /tomllib/, /python = "3\.11"\nor add tomli/],
  'name-removed-from-python': [
    start,
    'VERSION_MISMATCH',
    /collections\.Mapping/,
    /python = "3\.9"/,
  ],
  'attribute-removed-from-python': [
    start,
    'VERSION_MISMATCH',
    /inspect\.getargspec/,
    /python = "3\.10"/,
    /main\.py:2/,
  ],
  'module-removed-from-python': [start, 'VERSION_MISMATCH', /"imp"/, /python = "3\.11"/],
  // Libraries
  ugettext: [
    { ...django, installed },
    'VERSION_MISMATCH',
    /^django 5\.2\.8 has no "ugettext_lazy".*4\.0/,
    /django<4\.0.*\nor use gettext_lazy/,
    /cakes\/models\.py:1/,
  ],
  'conf-urls': [django, 'VERSION_MISMATCH', /"url" in django\.conf\.urls/, /re_path/, /urls\.py:1/],
  'django-six': [django, 'VERSION_MISMATCH', /django\.utils\.six/, /django<3\.0/],
  'foreign-key': [django, 'VERSION_MISMATCH', /on_delete/, /django<2\.0/, /models\.py:3/],
  'werkzeug-quote': [start, 'VERSION_MISMATCH', /url_quote/, /werkzeug<3\.0/],
  'flask-markup': [start, 'VERSION_MISMATCH', /Markup/, /markupsafe\.Markup/],
  'before-first-request': [start, 'VERSION_MISMATCH', /before_first_request/, /flask<2\.3/],
  'pydantic-settings': [start, 'VERSION_MISMATCH', /BaseSettings/, /pydantic<2\.0/],
  'unknown-name-of-library': [
    { ...start, installed },
    'VERSION_MISMATCH',
    /^requests 2\.32\.5 has no "NotThere"/,
    /requests==VERSION/,
  ],
  circular: [start, 'IMPORT_FAILED', /import each other/, /third module/, /other\.py:1/],
  'shadowing-file': [start, 'IMPORT_FAILED', /celery\.py hides/, /git mv celery\.py/],
  'pkg-resources': [start, 'MODULE_MISSING', /pkg_resources/, /setuptools<81/],
  // The project's own files
  'local-settings': [
    { ...django, ignoredFiles: ['local_settings.py'] },
    'MODULE_MISSING',
    /local_settings.*\.gitignore/,
    /tandem config set/,
    /settings\.py:\d+ from \.local_settings/,
  ],
  'module-not-on-path': [
    { ...django, ownModules: { orders: 'apps', shop: '' } },
    'MODULE_MISSING',
    /"orders" lies in apps\//,
    /apps\.orders/,
    /INSTALLED_APPS in shop\.settings/,
  ],
  'logging-file': [django, 'FILE_MISSING', /"logs\/debug\.log"/, /standard output/],
  permission: [
    start,
    'PERMISSION_DENIED',
    /\/var\/log\/shop\.log/,
    /standard output/,
    /main\.py:1/,
  ],
  // Variables
  'environ-variable': [django, 'VARIABLE_MISSING', /SHOP_KEY/, /SHOP_KEY=/, /settings\.py:\d+/],
  'decouple-variable': [django, 'VARIABLE_MISSING', /SHOP_KEY/, /SHOP_KEY=/, /settings\.py:\d+/],
  'environs-variable': [django, 'VARIABLE_MISSING', /SHOP_KEY/, /SHOP_KEY=/, /settings\.py:\d+/],
  'keyerror-variable': [
    { ...django, requiredVariables: ['SHOP_KEY', 'SHOP_MAIL'] },
    'VARIABLE_MISSING',
    /SHOP_KEY, SHOP_MAIL/,
    /^tandem config set SHOP_KEY=\.\.\. SHOP_MAIL=\.\.\.$/,
    /settings\.py:\d+/,
  ],
  'none-variable': [start, 'VARIABLE_MISSING', /SHOP_PORT/, /SHOP_PORT=/, /main\.py:2/],
  'none-split-variable': [start, 'VARIABLE_MISSING', /SHOP_HOSTS/, /SHOP_HOSTS=/, /main\.py:2/],
  'pydantic-variables': [
    start,
    'VARIABLE_MISSING',
    /SHOP_KEY, SHOP_URL/,
    /SHOP_URL=/,
    /main\.py:5/,
  ],
  // Databases
  'no-postgresql-driver': [django, 'DATABASE_DRIVER_MISSING', /PostgreSQL/, /psycopg\[binary\]/],
  'no-mysql-driver': [django, 'DATABASE_DRIVER_MISSING', /MySQL/, /mysqlclient/],
  'sqlalchemy-no-driver': [start, 'DATABASE_DRIVER_MISSING', /psycopg/, /psycopg/, /main\.py:2/],
  'sqlalchemy-postgres-scheme': [start, 'DATABASE_DRIVER_MISSING', /"postgres"/, /postgresql:\/\//],
  'sqlalchemy-asyncpg': [start, 'DATABASE_DRIVER_MISSING', /asyncpg/, /add asyncpg/],
  'table-at-import': [build, 'TABLE_MISSING', /cakes_cake.*imported/, /later/, /urls\.py:2/],
  'table-in-request': [
    { ...probe, settingsModule: 'shop.settings' },
    'TABLE_MISSING',
    /^The table "cakes_cake" does not exist/,
    /makemigrations/,
    /urls\.py:5/,
  ],
  'sqlite-read-only': [start, 'READ_ONLY', /SQLite/, /DATABASE_URL/, /main\.py:2/],
  // Migrations
  'migration-conflict': [django, 'MIGRATION_CONFLICT', /0002_a, 0002_b in cakes/, /--merge/],
  'migration-parent-missing': [django, 'MIGRATION_CONFLICT', /cakes\.0001_initial/, /check-ignore/],
  'migration-history': [
    django,
    'MIGRATION_CONFLICT',
    /cakes\.0002_a applied, but not cakes\.0001_initial/,
    /--fake cakes 0001_initial/,
  ],
  'system-check-pillow': [django, 'MODULE_MISSING', /PIL/, /Pillow/, /cakes\.Cake\.photo/],
  // Static files
  'manifest-entry': [
    django,
    'STATIC_MANIFEST_MISSING',
    /css\/site\.css/,
    /git grep -n "site\.css"/,
  ],
  'manifest-reference': [build, 'STATIC_FAILED', /img\/none\.png/, /none\.png/],
  // The system
  libmagic: [start, 'SYSTEM_LIBRARY_MISSING', /libmagic/, /apt = \["libmagic1"\]/, /main\.py:4/],
  gobject: [start, 'SYSTEM_LIBRARY_MISSING', /gobject/, /apt = \["libglib2\.0-0"\]/],
  gdal: [django, 'SYSTEM_LIBRARY_MISSING', /GDAL/, /apt = \["gdal-bin"\]/],
  program: [start, 'SYSTEM_LIBRARY_MISSING', /program "pdftoppm"/, /poppler-utils/, /main\.py:2/],
  // Connections
  'redis-refused': [
    start,
    'SERVICE_UNREACHABLE',
    /Redis at localhost:1/,
    /REDIS_URL/,
    /main\.py:2/,
  ],
  'celery-refused': [start, 'SERVICE_UNREACHABLE', /Redis at 127\.0\.0\.1:1/, /REDIS_URL/],
  'requests-refused': [
    build,
    'NETWORK_AT_IMPORT',
    /rates\.example\.invalid/,
    /first use/,
    /main\.py:2 requests\.get/,
  ],
  'urllib-refused': [
    build,
    'NETWORK_AT_IMPORT',
    /a build has no network/,
    /first use/,
    /main\.py:2/,
  ],
  // Servers
  'asgi-under-gunicorn': [
    { ...probe, command: 'Procfile:1 web: gunicorn main:app' },
    'INTERFACE_MIXED',
    /is ASGI/,
    /UvicornWorker.*\nor remove the line/,
    /Procfile:1/,
  ],
  'wsgi-under-uvicorn': [probe, 'INTERFACE_MIXED', /is WSGI/, /entry =/],
  'plain-wsgi-under-uvicorn': [probe, 'INTERFACE_MIXED', /is WSGI/, /entry =/],
  'factory-under-gunicorn': [probe, 'INTERFACE_MIXED', /factory create_app/, /create_app\(\)/],
  'module-as-application': [probe, 'INTERFACE_MIXED', /no application/, /entry =/],
};

describe('what the libraries write', () => {
  it.each(Object.entries(CASES))('%s', (name, [input, code, message, hint, where]) => {
    const cause = diagnose({ ...input, logTail: textOf(name) });
    expect(cause).toMatchObject({ code });
    expect(cause?.message).toMatch(message);
    expect(cause?.hint).toMatch(hint);
    if (where !== undefined) expect(cause?.where).toMatch(where);
    expect(cause).not.toHaveProperty('said');
  });

  it('leaves a wrong call inside the project to the project', () => {
    const frame = '  File "/app/views.py", line 3, in index\n    return send(1, 2, 3)\n';
    const error = 'TypeError: Sender.__call__() takes 2 positional arguments but 3 were given\n';
    const logTail = `Traceback (most recent call last):\n${frame}${error}`;
    expect(diagnose({ ...probe, logTail })).toBeUndefined();
  });

  it('says nothing of a server that does what it should', () => {
    const input = { ...probe, logTail: textOf('factory-under-uvicorn') };
    expect(diagnose(input)).toBeUndefined();
  });
});

describe('examine', () => {
  it('gives the lines that led to the cause', () => {
    const { lines } = examine({ ...django, logTail: textOf('migration-conflict') });
    expect(lines).toEqual([expect.stringContaining('multiple leaf nodes') as string]);
    const { cause, lines: shown } = examine({ ...start, logTail: textOf('none-variable') });
    expect(cause?.code).toBe('VARIABLE_MISSING');
    expect(shown.join('\n')).toContain('File "/app/main.py", line 2');
    expect(shown.at(-1)).toMatch(/^TypeError: int\(\) argument/);
  });

  it('names what else it may be, without the general ones', () => {
    const { cause, candidates } = examine({ ...start, logTail: textOf('sqlalchemy-no-driver') });
    expect(cause?.code).toBe('DATABASE_DRIVER_MISSING');
    expect(candidates.map(({ code }) => code)).toEqual(['MODULE_MISSING']);
  });

  it('shows the last lines when it knows nothing', () => {
    const { cause, lines } = examine({ ...start, logTail: 'a\nb\n\nc\nd\ne\nf\n' });
    expect(cause).toBeUndefined();
    expect(lines).toEqual(['b', 'c', 'd', 'e', 'f']);
  });
});
