// Each bad input of a build gets its code, names the offending thing, and leaves nothing behind.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  buildDirectory,
  sandboxes,
  scratchFiles,
} from '../../packages/platform/src/ports/paths.ts';
import type { BuildRequest } from '../../packages/platform/src/ports/builder.ts';
import { createBuilderFixture, type BuilderFixture } from '../support/builder-fixture.ts';

let fixture: BuilderFixture;
beforeAll(async () => {
  fixture = await createBuilderFixture();
});
afterAll(() => fixture.close());
afterEach(async () => {
  expect(await readdir(scratchFiles(fixture.paths))).toEqual([]);
  const left = (await readdir(sandboxes(fixture.paths))).filter((name) =>
    name.startsWith('build-'),
  );
  expect(left).toEqual([]);
});

const MANAGE =
  'import os, sys\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", "site1.settings")\nfrom django.core.management import execute_from_command_line\nexecute_from_command_line(sys.argv)\n';
const SETTINGS =
  'SECRET_KEY = "x"\nROOT_URLCONF = "site1.urls"\nINSTALLED_APPS = ["django.contrib.staticfiles"]\nSTATIC_URL = "/static/"\nUSE_TZ = True\n';
const django = (files: Record<string, string>): Record<string, string> => ({
  'requirements.txt': 'django==5.2.1\n',
  'manage.py': MANAGE,
  'site1/__init__.py': '',
  'site1/settings.py': SETTINGS,
  'site1/urls.py': 'urlpatterns = []\n',
  ...files,
});
const flask = (text: string, requirements = ''): Record<string, string> => ({
  'app.py': text,
  'requirements.txt': requirements,
});

async function failure(
  files: Record<string, string>,
  changes: Partial<BuildRequest> = {},
): Promise<unknown> {
  const archive = await fixture.packFiles(files);
  return await fixture.build(archive, changes).then(
    () => 'was built',
    (error: unknown) => error,
  );
}
const containing = (text: string): string => expect.stringContaining(text) as string;
const WSGI = 'def app(environ, start_response):\n    return []\n';

describe('a command of the build', () => {
  it.each([
    ['echo half >&2; exit 3', 'BUILD_COMMAND_FAILED', 'ended with exit status 3: half'],
    ['python manage.py bake', 'BUILD_COMMAND_FAILED', "Unknown command: 'bake'"],
    ['python -c "import yaml"', 'MODULE_MISSING', 'ended with exit status 1: Module "yaml"'],
    ['make-css', 'BUILD_COMMAND_FAILED', 'make-css: not found'],
  ])('that fails: %s', async (command, code, message) => {
    const toml = `build = [${JSON.stringify(command)}]\n`;
    expect(await failure(django({ 'tandem.toml': toml }))).toMatchObject({
      code,
      message: containing(message),
    });
  });

  it('in a project without Python', async () => {
    const files = { 'index.html': 'x', 'tandem.toml': 'build = ["true"]\n' };
    expect(await failure(files)).toMatchObject({ code: 'TANDEM_TOML_INVALID' });
  });
});

describe('dependencies', () => {
  it('that cannot be parsed', async () => {
    expect(await failure(flask(WSGI, 'six\ndjango==>5\n'))).toMatchObject({
      code: 'REQUIREMENTS_INVALID',
      where: 'requirements.txt:2',
    });
  });

  it('that no version meets', async () => {
    expect(await failure(flask(WSGI, 'six\ndjango==99.0\n'))).toMatchObject({
      code: 'REQUIREMENTS_UNSATISFIABLE',
      where: 'requirements.txt:2',
      message: containing('django==99.0'),
    });
  });

  it('that cannot be built', async () => {
    const source = {
      'broken/setup.py': 'raise SystemExit("fatal error: foo.h: No such file or directory")\n',
    };
    expect(await failure({ ...flask(WSGI, './broken\n'), ...source })).toMatchObject({
      code: 'DEPENDENCY_BUILD_FAILED',
      message: containing('foo.h'),
    });
  });

  it('from an index that does not answer', async () => {
    const requirements = '--index-url https://index.invalid/simple\nsix\n';
    expect(await failure(flask(WSGI, requirements))).toMatchObject({
      code: 'REGISTRY_UNREACHABLE',
      message: containing('index.invalid'),
    });
  });
});

describe('the project', () => {
  it('imports a module that is not installed', async () => {
    expect(
      await failure(django({ 'site1/urls.py': 'import yaml\nurlpatterns = []\n' })),
    ).toMatchObject({
      code: 'MODULE_MISSING',
      where: 'site1/urls.py:1 import yaml',
      hint: containing('PyYAML'),
    });
  });

  it('reads a variable that is not set, until it is', async () => {
    const files = django({
      'site1/settings.py': `import os\nKEY = os.environ["STRIPE_KEY"]\n${SETTINGS}`,
    });
    expect(await failure(files)).toMatchObject({
      code: 'VARIABLE_MISSING',
      where: containing('site1/settings.py:2'),
      hint: 'tandem config set STRIPE_KEY=...',
    });
    expect(await failure(files, { config: { STRIPE_KEY: 'x' } })).toBe('was built');
  });

  it('raises when it is imported', async () => {
    expect(await failure(flask(`x = 1 / 0\n${WSGI}`))).toMatchObject({
      code: 'IMPORT_FAILED',
      where: 'app.py:1 x = 1 / 0',
    });
    expect(
      await failure(django({ 'site1/settings.py': `${SETTINGS}def broken(:\n` })),
    ).toMatchObject({ code: 'IMPORT_FAILED', where: containing('site1/settings.py:6') });
  });

  it('cannot collect its static files', async () => {
    const settings = `${SETTINGS}STATICFILES_DIRS = ["/app/assets"]\nSTORAGES = {"default": {"BACKEND": "django.core.files.storage.FileSystemStorage"}, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"}}\n`;
    const files = django({
      'site1/settings.py': settings,
      'assets/a.css': 'a { background: url("missing.png") }\n',
    });
    expect(await failure(files)).toMatchObject({
      code: 'STATIC_FAILED',
      message: containing('missing.png'),
    });
  });

  it('takes all the memory', async () => {
    expect(await failure(flask(`x = bytearray(3 * 1024 ** 3)\n${WSGI}`))).toMatchObject({
      code: 'OUT_OF_MEMORY',
    });
  });

  it('needs a database to be imported, which is no error', async () => {
    const text = `import socket\nsocket.create_connection(("10.9.8.7", 5432), 2)\n${WSGI}`;
    expect(await failure(flask(text))).toBe('was built');
  });
});

describe('a build', () => {
  it('is cancelled at once', async () => {
    const signal = AbortSignal.timeout(1_500);
    const before = performance.now();
    const cancelled = await failure(flask(`import time\ntime.sleep(50)\n${WSGI}`), { signal });
    expect(cancelled).toMatchObject({ code: 'CANCELLED' });
    expect(performance.now() - before).toBeLessThan(8_000);
  });

  it('that takes too long is ended, and says so', async () => {
    const before = performance.now();
    const source = flask(`import time\nprint("waiting", flush=True)\ntime.sleep(50)\n${WSGI}`);
    expect(await failure(source, { timeoutMs: 3_000 })).toMatchObject({
      code: 'BUILD_TIMEOUT',
      message: 'The build took longer than 0.05 minutes.',
      hint: expect.stringContaining('in the log') as string,
    });
    expect(performance.now() - before).toBeLessThan(15_000);
  });

  it('runs as nobody in particular, and writes nowhere but its own places', async () => {
    const text = `import os, pathlib\nassert os.getuid() > 1000 and os.getuid() == os.getgid()\nfor place in ("/venv/x", "/opt/tandem/overlay/x", "/opt/tandem/runtime/x", "/etc/x", "/build/bin/x"):\n    try:\n        pathlib.Path(place).write_text("x")\n    except OSError:\n        continue\n    raise SystemExit("wrote " + place)\n${WSGI}`;
    expect(await failure(flask(text))).toBe('was built');
  });

  it('cannot pass a link off as its report', async () => {
    const text = `import os, atexit\nos.symlink("/etc/shadow", "/build/report.json.tmp")\n${WSGI}`;
    const result = await failure(flask(text));
    expect(JSON.stringify(result)).not.toContain('root:');
  });

  it('leaves nothing that a sweep would not find', async () => {
    await fixture.builder.sweep(new Set());
    expect(await readdir(buildDirectory(fixture.paths))).not.toContain('work');
    expect(join(fixture.root)).toBeTruthy();
  });
});
