import { describe, expect, it } from 'vitest';
import { readConfiguration } from '../configuration.ts';
import { detect } from '../detect.ts';
import { hasFile, memoryTree } from '../source-tree.ts';

const MANAGE = `import os
from django.core.management import execute_from_command_line
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")
`;
const FLASK = 'from flask import Flask\napp = Flask(__name__)\n';
type Files = Record<string, string>;

const read = (epio: string, files: Files = {}, appConfig: Files = {}) =>
  readConfiguration(memoryTree({ 'epio.ini': epio, ...files }), appConfig);
const detectIn = (files: Files, config: Files = {}) =>
  detect(memoryTree(files), { pythonVersions: ['3.12.1'], config });
const said = (found: { findings: readonly { value: string; why: string; evidence?: string }[] }) =>
  found.findings.map(({ value, why, evidence }) => `${evidence ?? ''} ${value}: ${why}`);
const refusal = (work: () => unknown): unknown => {
  try {
    return work();
  } catch (error) {
    return error;
  }
};

describe('[wsgi]', () => {
  it('names the entry, what is installed and what is on the path', () => {
    const found = detectIn({
      'epio.ini':
        '[wsgi]\nentrypoint = start:app\nrequirements = deps/epio.txt\npythonpath = deploy/\n',
      'deps/epio.txt': 'flask\n',
      'requirements.txt': 'django\n',
      'deploy/start.py': FLASK,
      'other.py': 'application = 1\n',
    });
    expect(found.entry).toMatchObject({ module: 'start', attribute: 'app', pathEntry: 'deploy' });
    expect(found.dependencies.names).toEqual(['flask']);
    expect(found.config.pythonpath).toEqual(['deploy']);
    expect(said(found)).toContain('epio.ini:2 start:app: set in epio.ini:2');
    expect(said(found)).toContain('deps/epio.txt deps/epio.txt: set in epio.ini:3');
  });

  it('takes several directories for the path, however they are separated', () => {
    const { config } = read('[wsgi]\npythonpath = lib:./apps, vendor/\n  more\n');
    expect(config.pythonpath).toEqual(['lib', 'apps', 'vendor', 'more']);
  });

  it('may be switched off', () => {
    expect(said(read('[wsgi]\nenabled = false\n'))).toContain(
      'epio.ini:2 [wsgi] enabled = false: no Python process: files only',
    );
    expect(said(read('[wsgi]\nenabled = yes\n'))).toHaveLength(1);
  });

  it.each([
    ['entrypoint = app:site/main', 'entrypoint "app:site/main" is not understood'],
    ['entrypoint = app', 'entrypoint "app" is not understood'],
    ['requirements = gone.txt', 'requirements "gone.txt" is not a file'],
    ['requirements = ../r.txt', 'requirements "../r.txt" lies outside of the source'],
    ['pythonpath = /usr/lib', 'pythonpath "/usr/lib" lies outside of the source'],
    ['enabled = perhaps', 'enabled = perhaps is neither true nor false'],
  ])('refuses %j', (line, message) => {
    expect(refusal(() => read(`[wsgi]\n${line}\n`))).toMatchObject({
      code: 'EPIO_INI_INVALID',
      where: 'epio.ini:2',
      message: expect.stringContaining(message) as string,
    });
  });

  it('refuses an entry that is not in the source', () => {
    const files = { 'epio.ini': '[wsgi]\nentrypoint = gone:app\n', 'app.py': FLASK };
    expect(refusal(() => detectIn(files))).toMatchObject({
      code: 'EPIO_INI_INVALID',
      where: 'epio.ini:2',
    });
  });
});

describe('[django]', () => {
  const OLD = {
    'epio.ini': '[django]\nbase = ./bakery/\n',
    'bakery/__init__.py': '',
    'bakery/manage.py': MANAGE,
    'bakery/settings.py': 'DEBUG = False\n',
  };

  it('chooses the directory of its manage.py', () => {
    const found = detectIn({ ...OLD, 'attic/manage.py': MANAGE });
    expect(found.root).toBe('bakery');
    expect(found.settings?.file).toBe('bakery/settings.py');
    expect(found.config.pythonpath).toBeUndefined();
    expect(said(found)).toContain('epio.ini:2 bakery: set in epio.ini:2');
  });

  it('puts the top on the path when modules are named from there', () => {
    const found = detectIn({ ...OLD, 'bakery/settings.py': 'ROOT_URLCONF = "bakery.urls"\n' });
    expect(found.pythonPath).toEqual(['bakery', '']);
  });

  it('may name the settings package below manage.py, which is kept off the path', () => {
    const found = detectIn({
      'epio.ini': OLD['epio.ini'],
      'manage.py': MANAGE.replace('"settings"', '"bakery.settings"'),
      'bakery/__init__.py': '',
      'bakery/settings.py': 'DEBUG = False\n',
      'bakery/celery.py': '',
    });
    expect(found.root).toBe('');
    expect(found.settings?.name).toBe('bakery.settings');
    expect(found.config.pythonpath).toBeUndefined();
  });

  it('says so when there is no manage.py', () => {
    const found = read('[django]\nbase = site\n', { 'site/x.py': '' });
    expect(found.config.root).toBeUndefined();
    expect(said(found)).toContain(
      'epio.ini:2 [django] base = site: no manage.py of Django there or above',
    );
  });

  it('turns append_settings into the overlay', () => {
    expect(read('[django]\nappend_settings = off\n').config.overlay).toBe(false);
    expect(read('[django]\nappend_settings = on\n').config.overlay).toBe(true);
  });

  it('refuses a base that is no directory', () => {
    expect(refusal(() => read('[django]\nbase = gone\n'))).toMatchObject({
      code: 'EPIO_INI_INVALID',
      where: 'epio.ini:2',
      message: expect.stringContaining('base "gone" is not a directory') as string,
    });
  });

  it('finds the settings of [env] wherever the path leads', () => {
    const found = detectIn({
      'epio.ini':
        '[wsgi]\npythonpath = src/\n[django]\nbase = src/dash\n[env]\nDJANGO_SETTINGS_MODULE = dash.settings.epio\n',
      'manage.py': MANAGE,
      'src/dash/__init__.py': '',
      'src/dash/settings/epio.py': 'DEBUG = False\n',
    });
    expect(found.settings).toMatchObject({
      name: 'dash.settings.epio',
      file: 'src/dash/settings/epio.py',
    });
    expect(said(found)).toContain('epio.ini:6 dash.settings.epio: set by you');
  });

  it('puts the base on the path when only there the settings of [env] are found', () => {
    const found = detectIn({
      'epio.ini': '[django]\nbase = dcgis\n[env]\nDJANGO_SETTINGS_MODULE = production\n',
      'manage.py': MANAGE,
      'dcgis/__init__.py': '',
      'dcgis/production.py': 'DEBUG = False\n',
    });
    expect(found.settings?.file).toBe('dcgis/production.py');
    expect(found.config.pythonpath).toEqual(['dcgis']);
  });

  it('gives way to the settings that the user configured', () => {
    const files = { ...OLD, 'bakery/live.py': 'X = 1\n' };
    const epio = `${OLD['epio.ini']}[env]\nDJANGO_SETTINGS_MODULE = settings\n`;
    const found = detectIn({ ...files, 'epio.ini': epio }, { DJANGO_SETTINGS_MODULE: 'live' });
    expect(found.settings?.name).toBe('live');
    expect(said(found)).toContain('config DJANGO_SETTINGS_MODULE live: set by you');
  });
});

describe('[checkout]', () => {
  const epio = '[checkout]\ndirectory_name = shop\n';

  it('makes the old name of the directory importable', () => {
    const found = read(epio, { 'urls.py': 'from shop.cart import views\n', 'cart/views.py': '' });
    expect(found.links).toEqual([{ path: '.checkout/shop', target: '' }]);
    expect(found.config.pythonpath).toEqual(['.checkout']);
    expect(hasFile(found.tree, '.checkout/shop/cart/views.py')).toBe(true);
  });

  it.each([
    ['nothing imports it', { 'urls.py': 'from workshop import shop\n' }],
    ['a package of that name is there', { 'urls.py': 'import shop\n', 'shop/__init__.py': '' }],
  ])('makes nothing when %s', (_, files) => {
    expect(read(epio, files as Files).links).toEqual([]);
  });

  it('makes nothing of a name that cannot be imported', () => {
    expect(read('[checkout]\ndirectory_name = ../evil\n').links).toEqual([]);
  });
});

describe('[symlinks]', () => {
  it('are seen by every rule that follows', () => {
    const found = detectIn({
      'epio.ini':
        '[symlinks]\nsettings.py = conf/epio.py\nrequirements.txt = conf/epio.txt\n[wsgi]\nrequirements = requirements.txt\n',
      'manage.py': MANAGE,
      'conf/epio.py': 'DEBUG = False\n',
      'conf/epio.txt': 'django\n',
    });
    expect(found.links).toContainEqual({ path: 'settings.py', target: 'conf/epio.py' });
    expect(found.settings?.name).toBe('settings');
    expect(found.dependencies.names).toEqual(['django']);
  });

  it.each([
    ['cache = ../data/cache', 'cache itself is kept, apart from what lies in /data'],
    ['media = ../shortcuts/django-admin-media', "no counterpart: Django's own files are collected"],
    ['etc = /etc', 'no counterpart: the target lies outside of the source'],
    ['config.py = gone.py', 'left out: there is no such file in the source'],
    ['conf = here.py', 'left out: conf is a directory already'],
    ['here.py = conf/x.py', 'a link is made, in place of the file'],
  ])('%j: %s', (line, why) => {
    const found = read(`[symlinks]\n${line}\n`, { 'conf/x.py': '', 'here.py': '' });
    expect(said(found)).toContain(`epio.ini:2 [symlinks] ${line}: ${why}`);
  });

  it.each([
    ['../out = here.py', 'lies outside of the source'],
    ['/etc/passwd = here.py', 'lies outside of the source'],
    ['. = conf', 'lies outside of the source'],
    ['conf/new = conf/new', 'no such file'],
    ['here.py = here.py', 'would lead to itself'],
  ])('%j never leads out or round', (line, message) => {
    const outcome = refusal(() =>
      said(read(`[symlinks]\n${line}\n`, { 'conf/x.py': '', 'here.py': '' })),
    );
    expect(String(outcome)).toContain(message);
  });
});

describe('what runs beside the web process', () => {
  it('is named by [process-NAME]', () => {
    const { config, file } = read(
      '[process-celeryd]\ncommand = python manage.py celeryd -n %(app_id)s -p %(port)s\n[process-Mail_Out]\ncommand = ./mail.py\ncwd = bin\n[process-top]\ncommand = x\ncwd = .\n',
    );
    expect(config.processes).toEqual({
      celeryd: 'python manage.py celeryd -n $TANDEM_APP -p $PORT',
      'mail-out': 'cd /app/bin && ./mail.py',
      top: 'x',
    });
    expect(file).toBe('epio.ini');
  });

  it('goes to the root of the app only where the process says nothing else', () => {
    const epio =
      '[process-b]\ncommand = x\ncwd = .\n[process-c]\ncommand = y\ncwd = site\n[django]\nbase = site\n';
    const { config } = read(epio, { 'site/manage.py': MANAGE });
    expect(config.processes).toEqual({ b: 'cd /app && x', c: 'y' });
  });

  it('cannot listen on a socket', () => {
    const found = read('[process-web]\ncommand = python server.py %(unix_sock)s\n');
    expect(found.config.processes).toBeUndefined();
    expect(said(found).join('\n')).toContain('a server listens on $PORT, not on a socket');
  });

  it.each([
    ['[process-]\ncommand = x', 1, '"process-" does not name a process'],
    ['[process-a b]\ncommand = x', 1, 'does not name a process'],
    ['[process-a]\ncwd = .', 1, '[process-a] has no command'],
    ['[process-a]\ncommand = x\ncwd = ../up', 3, 'cwd "../up" lies outside of the source'],
  ])('%j is refused', (epio, line, message) => {
    expect(refusal(() => read(epio))).toMatchObject({
      code: 'EPIO_INI_INVALID',
      where: `epio.ini:${line}`,
      message: expect.stringContaining(message) as string,
    });
  });

  it('names each entry of [cron], whichever way round it is written', () => {
    const found = said(read('[cron]\nmanage.py tick = */30 * * * *\nnight = 0 3 * * * ./x.sh\n'));
    expect(found).toContainEqual(expect.stringContaining('epio.ini:2 [cron] manage.py tick'));
    expect(found).toContainEqual(expect.stringContaining('epio.ini:3 [cron] night'));
  });
});

describe('[env] and [basic_auth]', () => {
  it('sets variables and shows no value', () => {
    const found = read('[env]\nEPIO = true\nTOKEN = s3cret=\nEMPTY =\n');
    expect(found.config.env).toEqual({ EPIO: 'true', TOKEN: 's3cret=', EMPTY: '' });
    expect(said(found).join('\n')).not.toContain('s3cret');
  });

  it('knows the directory for files by its old name', () => {
    const found = read('[env]\nA = ~/data/.ipython\nB = ~/database\n');
    expect(found.config.env).toEqual({ A: '/data/.ipython', B: '~/database' });
    expect(found.dataDirectory).toBe('epio.ini:2');
  });

  it("leaves the platform's own variables alone, and says so", () => {
    const found = read('[env]\nPORT = 1\nHOME = /x\nTANDEM_APP = y\n');
    expect(found.config.env).toBeUndefined();
    expect(said(found).filter((line) => line.includes('left out'))).toHaveLength(3);
  });

  it('reads PYTHONPATH as a path', () => {
    expect(read('[env]\nPYTHONPATH = ./lib:/app/apps/:\n').config.pythonpath).toEqual([
      'lib',
      'apps',
    ]);
  });

  it.each(['no-name = 1', '1X = 2', 'DJANGO_SETTINGS_MODULE = a/b'])('refuses %j', (line) => {
    expect(refusal(() => read(`[env]\n${line}\n`))).toMatchObject({ code: 'EPIO_INI_INVALID' });
  });

  it('warns that no password is asked for, and shows none', () => {
    const found = said(read('[basic_auth]\nbob = hunter2\n_realm = Example\n'));
    expect(found).toContain(
      'epio.ini:2 [basic_auth] bob = ...: no counterpart: the site is open to everybody who reaches it',
    );
    expect(found.join('\n')).not.toContain('hunter2');
  });
});

describe('what is not understood', () => {
  it('is named with its line', () => {
    const found = said(read('[wsgi]\ndjango_base = ./web/\n[solrr]\nx = 1\n[static]\nfoo = bar\n'));
    expect(found).toContain(
      'epio.ini:2 django_base left out: unknown key: [wsgi] knows entrypoint, requirements, pythonpath, enabled',
    );
    expect(found).toContain('epio.ini:3 [solrr] left out: unknown section');
    expect(found).toContain(
      'epio.ini:6 foo left out: unknown key: [static] knows /URL, _directory_indexes',
    );
  });
});

describe('beside other files', () => {
  it('ranks below tandem.toml, key by key', () => {
    const found = read('[wsgi]\nentrypoint = a:app\n[services]\npostgres = true\n', {
      'tandem.toml': 'entry = "b:app"\npython = "3.12"\n',
    });
    expect(found.config).toMatchObject({ entry: 'b:app', python: '3.12', database: true });
    expect(found.origins).toEqual({
      entry: 'tandem.toml',
      python: 'tandem.toml',
      database: 'epio.ini:4',
    });
    expect(said(found)).toContain('epio.ini:2 entry of tandem.toml: before epio.ini:2');
  });

  it('ranks above a Procfile, of which the release command is left', () => {
    const files = { 'app.py': FLASK, Procfile: 'worker: old\nrelease: python up.py\n' };
    const found = detectIn({ ...files, 'epio.ini': '[process-worker]\ncommand = new\n' });
    expect(found.named.processes['worker']?.command).toBe('new');
    expect(found.named.releaseCommands).toEqual(['python up.py']);
    expect(said(found)).toContainEqual(expect.stringContaining('Procfile left out'));
    expect(detectIn({ ...files, 'epio.ini': '[wsgi]\n' }).named.processes['worker']?.command).toBe(
      'old',
    );
  });

  it('does not matter when it is not there', () => {
    const found = readConfiguration(memoryTree({ 'tandem.toml': 'python = "3.12"' }));
    expect(found).toMatchObject({ config: { python: '3.12' }, links: [], findings: [] });
  });
});

describe('bundle_config', () => {
  const use = (files: Files) => detectIn({ 'app.py': FLASK, ...files });

  it.each([
    ['from bundle_config import config\n', 1],
    ['try:\n    from bundle_config import config\nexcept ImportError:\n    config = None\n', 2],
    ['import os\nimport os, bundle_config\n', 2],
  ])('is provided for %j', (source, line) => {
    const found = use({ 'conf.py': source });
    expect(found.bundleConfig).toBe(true);
    expect(said(found)).toContain(`conf.py:${line} provided: the project imports it`);
  });

  it.each([
    ['a comment', { 'conf.py': '# from bundle_config import config\n' }],
    ['a string', { 'conf.py': 'X = """\nfrom bundle_config import config\n"""\n' }],
    ['another module', { 'conf.py': 'from app.bundle_config import config\n' }],
    [
      'a module of its own',
      { 'conf.py': 'from bundle_config import config\n', 'bundle_config.py': '' },
    ],
  ])('is not for %s', (_, files) => {
    expect(use(files as Files).bundleConfig).toBe(false);
  });

  it('is provided with an epio.ini', () => {
    expect(use({ 'epio.ini': '' }).bundleConfig).toBe(true);
  });

  it('keeps what lies below data_directory on the volume', () => {
    const source = 'from bundle_config import config\nD = config["core"]["data_directory"]\n';
    expect(said(use({ 'conf.py': source }))).toContainEqual(
      expect.stringMatching(/^conf.py:2 \/data: the directory for files/),
    );
    expect(said(use({ 'epio.ini': '[static]\n/media = ../data\n' }))).toContainEqual(
      expect.stringMatching(/^epio.ini:2 \/data: the directory for files/),
    );
  });
});
