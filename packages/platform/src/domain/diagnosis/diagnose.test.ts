import { describe, expect, it } from 'vitest';
import { diagnose } from './diagnose.ts';
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

  it('knows when a module is only a development one', () => {
    const log = `${START}ModuleNotFoundError: No module named 'debug_toolbar'\n`;
    const developmentOnly = ['django-debug-toolbar'];
    const cause = diagnose({ phase: 'build', logTail: log, developmentOnly });
    expect(cause?.message).toContain('development group only');
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

  it('says nothing rather than guess', () => {
    expect(diagnose({ phase: 'start', logTail: '' })).toBeUndefined();
    expect(
      diagnose({ phase: 'start', logTail: 'Traceback (most recent call last):' }),
    ).toBeUndefined();
    expect(diagnose({ phase: 'probe', logTail: inSettings('ValueError: x') })).toBeUndefined();
  });
});

describe('lastTraceback', () => {
  it('takes the last of several, and those with a prefix on each line', () => {
    const log = `${inSettings("KeyError: 'A'")}\nmore\n[web] ${START}[web]   File "/app/b.py", line 2, in f\n[web]     go()\n[web] ValueError: no\n`;
    expect(lastTraceback(log)).toMatchObject({
      type: 'ValueError',
      message: 'no',
      frames: [{ file: '/app/b.py', line: 2, text: 'go()' }],
    });
  });
});
