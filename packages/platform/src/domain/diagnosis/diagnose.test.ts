import { describe, expect, it } from 'vitest';
import { diagnose, examine } from './diagnose.ts';
import { lastTraceback } from './traceback.ts';

const START = 'Traceback (most recent call last):\n';
const frame = (file: string, line: number, text: string): string =>
  `  File "${file}", line ${line}, in <module>\n    ${text}\n`;
const inSettings = (exception: string, text = 'X = env("X")'): string =>
  `starting\n${START}${frame('/app/site/settings.py', 14, text)}${frame('/usr/lib/python3.12/os.py', 685, 'raise KeyError(key) from None')}${exception}\n`;

describe('diagnose', () => {
  it('names a missing module and what brings it', () => {
    const log = `${START}${frame('/app/shop/views.py', 3, 'import yaml')}ModuleNotFoundError: No module named 'yaml'\n`;
    expect(diagnose({ phase: 'start', logTail: log })).toMatchObject({
      code: 'MODULE_MISSING',
      message: 'Module "yaml" is not installed.',
      where: 'shop/views.py:3 import yaml',
      hint: expect.stringContaining('PyYAML') as string,
    });
  });

  it('names what is written into a read-only release', () => {
    const log = `${START}${frame('/app/flaskr/__init__.py', 24, 'os.makedirs(app.instance_path)')}OSError: [Errno 30] Read-only file system: '/app/instance'\n`;
    expect(diagnose({ phase: 'start', logTail: log })).toMatchObject({
      code: 'READ_ONLY',
      message: expect.stringContaining('"/app/instance"') as string,
      where: 'flaskr/__init__.py:24 os.makedirs(app.instance_path)',
      hint: expect.stringContaining('[volume] paths = ["instance"]') as string,
    });
  });

  it.each([
    ['/app/var/log/x.log', 'paths = ["var/log"]'],
    ['notes.txt', 'a directory of its own'],
    ['/data', 'paths = ["/data"]'],
    ['/app/a "b"/c', 'a directory of its own'],
  ])('says how %s is kept', (path, hint) => {
    const log = `${START}${frame('/app/app.py', 1, 'open(p)')}OSError: [Errno 30] Read-only file system: '${path}'\n`;
    expect(diagnose({ phase: 'start', logTail: log })?.hint).toContain(hint);
  });

  it('knows when a module is only a development one', () => {
    const log = `${START}ModuleNotFoundError: No module named 'debug_toolbar'\n`;
    const developmentOnly = { 'django-debug-toolbar': 'tools' };
    const cause = diagnose({ phase: 'build', logTail: log, developmentOnly });
    expect(cause?.message).toContain('development group only');
    expect(cause?.hint).toContain('groups = ["tools"]');
    const inFile = { 'django-debug-toolbar': '' };
    const other = diagnose({ phase: 'build', logTail: log, developmentOnly: inFile });
    expect(other?.hint).toMatch(/^move django-debug-toolbar/);
  });

  it.each([
    ["KeyError: 'STRIPE_KEY'", 'STRIPE_KEY'],
    [
      'django.core.exceptions.ImproperlyConfigured: Set the STRIPE_KEY environment variable',
      'STRIPE_KEY',
    ],
    [
      'decouple.UndefinedValueError: STRIPE_KEY not found. Declare it as envvar or define a default value.',
      'STRIPE_KEY',
    ],
    ['environs.EnvError: Environment variable "STRIPE_KEY" not set', 'STRIPE_KEY'],
    ['KeyError: "Config \'STRIPE_KEY\' is missing, and has no default."', 'STRIPE_KEY'],
    [
      'django.core.exceptions.ImproperlyConfigured: The SECRET_KEY setting must not be empty.',
      'SECRET_KEY',
    ],
    [
      'pydantic_core._pydantic_core.ValidationError: 2 validation errors for Settings\nstripe_key\n  Field required [type=missing]\nother\n  Field required [type=missing]',
      'STRIPE_KEY, OTHER',
    ],
  ])('names the missing variable of %j', (exception, name) => {
    const cause = diagnose({ phase: 'start', logTail: inSettings(exception) });
    expect(cause).toMatchObject({
      code: 'VARIABLE_MISSING',
      where: expect.stringContaining('site/settings.py:14') as string,
    });
    expect(cause?.message).toContain(name);
    expect(cause?.hint).toMatch(/^tandem config set \w+=\.\.\./);
  });

  it('knows a static file whose name is empty', () => {
    const log = `${START}ValueError: Missing staticfiles manifest entry for ''\n`;
    const cause = diagnose({ phase: 'start', logTail: log });
    expect(cause).toMatchObject({ code: 'STATIC_MANIFEST_MISSING' });
    expect(cause?.message).toContain('is empty');
    expect(cause?.hint).toContain('release = [');
  });

  it('reads a traceback that a log of JSON carries', () => {
    const traceback = `${START}${frame('/app/shop/vite.py', 64, 'with open(path) as f:')}ValueError: no pages`;
    const entry = { level: 'ERROR', exc_info: traceback, request: { path: '/' } };
    const symptom = { code: 'PROBE_STATUS', message: 'web.1: GET / answered 500' } as const;
    const logTail = `{"cut": "${START.trim()}\nweb.1 starts\n2026-11-30 ${JSON.stringify(entry)}\n`;
    const { cause, lines } = examine({ phase: 'probe', symptom, logTail });
    expect(cause?.message).toContain('ValueError: no pages');
    expect(cause?.where).toBe('shop/vite.py:64 with open(path) as f:');
    expect(lines).toContain('  File "/app/shop/vite.py", line 64');
  });

  it('knows a read of the environment by the line of the project too', () => {
    const log = `${START}${frame('/app/a.py', 2, 'K = os.environ["PAY"]')}KeyError: 'PAY'\n`;
    expect(diagnose({ phase: 'start', logTail: log })?.code).toBe('VARIABLE_MISSING');
  });

  it('does not take every KeyError for a variable', () => {
    const log = `${START}${frame('/app/a.py', 2, 'd["x"]')}KeyError: 'x'\n`;
    expect(diagnose({ phase: 'start', logTail: log })).toMatchObject({
      code: 'IMPORT_FAILED',
      where: 'a.py:2 d["x"]',
    });
  });

  it('tells a wrong settings module from a missing one', () => {
    const log = `${START}${frame('/venv/x/django/conf/__init__.py', 9, 'import_module')}ModuleNotFoundError: No module named 'site.prod'\n`;
    expect(diagnose({ phase: 'build', logTail: log, settingsModule: 'site.prod' })).toMatchObject({
      code: 'SETTINGS_MODULE_WRONG',
    });
    const unset = `${START}${frame('/app/x.py', 1, 'x')}django.core.exceptions.ImproperlyConfigured: Requested setting DEBUG, but settings are not configured.\n`;
    expect(diagnose({ phase: 'start', logTail: unset })).toMatchObject({
      code: 'SETTINGS_MODULE_WRONG',
    });
  });

  it('sees a refused host, only for the host it asked for', () => {
    const log =
      "[ERROR] django.security.DisallowedHost: Invalid HTTP_HOST header: 'www.a.example'. You may need to add";
    const at = (host: string) => diagnose({ phase: 'probe', logTail: log, host });
    expect(at('www.a.example')).toMatchObject({
      code: 'HOST_REFUSED',
      message: 'Django refuses host "www.a.example".',
    });
    expect(at('b.example')).toBeUndefined();
  });

  it('points at a syntax error', () => {
    const log = `${START}${frame('/venv/lib/gunicorn/util.py', 5, 'import')}  File "/app/wsgi.py", line 4\n    def x(:\n          ^\nSyntaxError: invalid syntax\n`;
    expect(diagnose({ phase: 'start', logTail: log })).toMatchObject({
      code: 'IMPORT_FAILED',
      where: 'wsgi.py:4 def x(:',
    });
  });

  it('knows a MySQL that is not there by the words of its newer library', () => {
    const log = `${START}${frame('/venv/lib/MySQLdb/connections.py', 9, 'x')}OperationalError: (2002, "Can't connect to server on '127.0.0.1' (115)")\n`;
    expect(diagnose({ phase: 'start', logTail: log })).toMatchObject({
      code: 'SERVICE_UNREACHABLE',
      message: 'MySQL at 127.0.0.1 does not answer.',
    });
  });

  it('quotes a project that ends its own process', () => {
    const exit = `${START}${frame('/app/run.py', 9, 'sys.exit(1)')}SystemExit: 1\n`;
    const cause = diagnose({ phase: 'build', logTail: `ERROR: no site configured.\n${exit}` });
    expect(cause).toMatchObject({ code: 'IMPORT_FAILED', where: 'run.py:9 sys.exit(1)' });
    expect(cause?.message).toContain('after "ERROR: no site configured."');
    expect(diagnose({ phase: 'build', logTail: exit })?.message).not.toContain('after');
  });

  it('quotes what a validator of settings says', () => {
    const error =
      '1 validation error for Config\n  Value error, Sentry is not set [type=value_error, input_value={}]\n    For further information visit https://errors.pydantic.dev/2/v/value_error';
    const log = `${START}${frame('/app/src/config.py', 40, 'settings = Config()')}pydantic_core._pydantic_core.ValidationError: ${error}\n`;
    expect(diagnose({ phase: 'build', logTail: log })).toMatchObject({
      code: 'IMPORT_FAILED',
      message: expect.stringMatching(
        /ValidationError: 1 validation error for Config: Value error, Sentry is not set$/,
      ) as string,
    });
  });

  it.each([
    [
      "ImproperlyConfigured: define 'shop/conf.py', or else",
      'shop/conf.py',
      'shop/conf_example.py',
    ],
    [
      'ImproperlyConfigured: module (shop.conf) not found.',
      'web/shop/conf.py',
      'web/shop/conf.py.dist',
    ],
    ["ModuleNotFoundError: No module named 'shop.conf'", 'shop/conf.py', 'shop/conf.sample.py'],
    [
      "FileNotFoundError: [Errno 2] No such file or directory: '/app/shop.ini'",
      'shop.ini',
      'shop.ini.example',
    ],
  ])('%s: copies the template', (exception, path, template) => {
    const log = `${START}${frame('/app/shop/settings.py', 4, 'load()')}${exception}\n`;
    const known = { templates: { 'other.py': 'other.py.dist', [path]: template } };
    const cause = diagnose({ phase: 'build', logTail: log, ...known });
    expect(cause?.hint).toBe(`cp ${template} ${path}, fill it in, and deploy again`);
    const ignored = diagnose({ phase: 'build', logTail: log, ...known, ignoredFiles: [path] });
    expect(ignored?.hint).toContain(`echo '!/${path}' >> .tandemignore`);
  });

  it('understands the servers when they do not find the application', () => {
    const said = (logTail: string) => diagnose({ phase: 'start', logTail });
    expect(said("Failed to find attribute 'app' in 'wsgi'.")).toMatchObject({
      code: 'IMPORT_FAILED',
    });
    expect(
      said('ERROR: Error loading ASGI app. Could not import module "main".')?.message,
    ).toContain('"main"');
  });

  it('puts the memory limit before whatever the log says', () => {
    const exit = { code: 137, outOfMemory: true };
    const memoryBytes = 512 * 1024 * 1024;
    const cause = diagnose({
      phase: 'start',
      exit,
      memoryBytes,
      logTail: inSettings("KeyError: 'X'"),
    });
    expect(cause).toMatchObject({
      code: 'OUT_OF_MEMORY',
      message: expect.stringContaining('512 MiB') as string,
    });
  });

  it('tells a file that is not in the source from a package', () => {
    const log = `${START}${frame('/app/shop/settings.py', 1, 'from shop.base import *')}ModuleNotFoundError: No module named 'shop.base'\n`;
    expect(diagnose({ phase: 'build', logTail: log })).toMatchObject({
      code: 'MODULE_MISSING',
      message: 'Module "shop.base" is not in the source.',
      where: 'shop/settings.py:1 from shop.base import *',
      hint: expect.stringContaining('shop/base.py') as string,
    });
  });

  it('knows a submodule that is not checked out', () => {
    const log = `${START}${frame('/app/a.py', 2, 'import theme')}ModuleNotFoundError: No module named 'theme'\n`;
    const cause = diagnose({ phase: 'build', logTail: log, emptySubmodules: ['vendor/theme'] });
    expect(cause).toMatchObject({
      message: 'Module "theme" is a git submodule, and vendor/theme/ is empty.',
      hint: expect.stringContaining('git submodule update --init') as string,
    });
  });

  it('points at INSTALLED_APPS when Django imports what it lists', () => {
    const django = '/venv/lib/python3.12/site-packages/django/apps/config.py';
    const log = `${START}${frame(django, 193, 'import_module(entry)')}ModuleNotFoundError: No module named 'rest_framework'\n`;
    const cause = diagnose({ phase: 'build', logTail: log, settingsModule: 'shop.settings' });
    expect(cause?.where).toBe('INSTALLED_APPS in shop.settings');
  });

  it('names the attribute that an entry lacks', () => {
    const log = `${START}${frame('/opt/tandem/runtime/tandem_runtime/prepare.py', 9, 'getattr')}AttributeError: module 'app' has no attribute 'application'\n`;
    expect(diagnose({ phase: 'build', logTail: log })).toMatchObject({
      code: 'IMPORT_FAILED',
      message: 'Module "app" has no "application".',
      hint: expect.stringContaining('entry =') as string,
    });
  });

  it('knows a full disk, with the line that filled it', () => {
    const log = `${START}${frame('/app/app.py', 5, 'dump.write(block)')}OSError: [Errno 28] No space left on device\n`;
    const where = 'app.py:5 dump.write(block)';
    expect(diagnose({ phase: 'build', logTail: log })).toMatchObject({
      code: 'DISK_FULL',
      message: 'A disk of the build is full.',
      where,
      hint: expect.stringContaining('8 GiB') as string,
    });
    expect(diagnose({ phase: 'probe', logTail: log })).toMatchObject({ code: 'DISK_FULL', where });
  });

  it.each([
    ['/bin/sh: 1: exec: gunicron: not found', 'There is no command "gunicron".', /requirements/],
    [
      '/bin/bash: line 1: gunicron: command not found',
      'There is no command "gunicron".',
      /spelling/,
    ],
    ['env: ‘gunicron’: No such file or directory', 'There is no command "gunicron".', /spelling/],
    ['/bin/sh: 1: exec: ./run.sh: not found', 'There is no command "./run.sh".', /path/],
    [
      '/bin/sh: 1: exec: ./run.sh: Permission denied',
      'The file "./run.sh" is not executable.',
      /chmod=\+x run\.sh/,
    ],
  ])('understands the shell: %s', (line, message, hint) => {
    const symptom = { code: 'CRASHED_AT_START', message: 'web.1 ended' } as const;
    const cause = diagnose({ phase: 'start', symptom, logTail: `first\n${line}\n` });
    expect(cause).toMatchObject({ code: 'CRASHED_AT_START', message });
    expect(cause?.hint).toMatch(hint);
  });

  it('gives the exception behind a server error', () => {
    const symptom = { code: 'PROBE_STATUS', message: 'web.1: GET / answered 500' } as const;
    const log = inSettings('ValueError: no oven', 'bake()');
    expect(diagnose({ phase: 'probe', symptom, logTail: log })).toMatchObject({
      code: 'PROBE_STATUS',
      message: 'web.1: GET / answered 500: ValueError: no oven',
      where: 'site/settings.py:14 bake()',
    });
    expect(diagnose({ phase: 'probe', symptom, logTail: '' })?.hint).toContain('log the exception');
  });

  it('says where a server hangs, when its log does', () => {
    const symptom = { code: 'PROBE_TIMEOUT', message: 'web.1: GET / was not answered' } as const;
    const at = (logTail: string) => diagnose({ phase: 'probe', symptom, logTail });
    const dump =
      'Timeout (0:00:40)!\nThread 0x07 (most recent call first):\n' +
      '  File "/venv/lib/x.py", line 3 in wait\n  File "/app/app.py", line 7 in index\n' +
      '  File "/venv/lib/flask/app.py", line 902 in dispatch_request\n';
    expect(at(`boot\n${dump}`)).toMatchObject({ code: 'PROBE_TIMEOUT', where: 'app.py:7' });
    const aborted = `[CRITICAL] WORKER TIMEOUT (pid:3)\n${START}${frame('/app/app.py', 7, 'time.sleep(600)')}${frame('/venv/gunicorn/base.py', 204, 'sys.exit(1)')}SystemExit: 1\n`;
    expect(at(aborted)?.where).toBe('app.py:7 time.sleep(600)');
    expect(at('nothing')).toMatchObject({ hint: expect.stringContaining('waits for') as string });
    expect(at('nothing')?.where).toBeUndefined();
  });

  it('says nothing rather than guess', () => {
    expect(diagnose({ phase: 'start', logTail: '' })).toBeUndefined();
    expect(
      diagnose({ phase: 'start', logTail: 'Traceback (most recent call last):' }),
    ).toBeUndefined();
    expect(diagnose({ phase: 'probe', logTail: inSettings('ValueError: x') })).toBeUndefined();
  });
});

describe('lastTraceback', () => {
  it('leaves out the one of a server that gives up for it', () => {
    const server = `${START}${frame('/venv/gunicorn/arbiter.py', 208, 'self.reap_workers()')}gunicorn.errors.HaltServer: <HaltServer 'Worker failed to boot.' 3>\n`;
    expect(
      lastTraceback(`${inSettings("KeyError: 'A'")}[INFO] Worker exiting\n${server}`),
    ).toMatchObject({
      type: 'KeyError',
    });
  });

  it('takes the last of several, and those with a prefix on each line', () => {
    const log = `${inSettings("KeyError: 'A'")}\nmore\n[web] ${START}[web]   File "/app/b.py", line 2, in f\n[web]     go()\n[web] ValueError: no\n`;
    expect(lastTraceback(log)).toMatchObject({
      type: 'ValueError',
      message: 'no',
      frames: [{ file: '/app/b.py', line: 2, text: 'go()' }],
    });
  });
});
