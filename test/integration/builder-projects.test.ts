// Fresh projects of each kind, without a configuration file in any of them, from source to an image
// that answers.
import { mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCommand } from '../../packages/platform/src/lib/run-command.ts';
import {
  createBuilderFixture,
  UV_PATH,
  type BuilderFixture,
  type Built,
} from '../support/builder-fixture.ts';

let fixture: BuilderFixture;
beforeAll(async () => {
  fixture = await createBuilderFixture();
});
afterAll(() => fixture.close());

/** Output of a generator that comes from the package index, in a new directory. */
async function generate(packages: string[], command: string[]): Promise<string> {
  const directory = await mkdtemp(join(fixture.root, 'project-'));
  const from = packages.flatMap((name) => ['--with', name]);
  await uv(['run', '--no-project', '--python', '/usr/bin/python3', ...from, ...command], directory);
  return directory;
}

async function uv(args: readonly string[], directory: string): Promise<void> {
  await runCommand([UV_PATH, ...args], {
    timeoutMs: 120_000,
    cwd: directory,
    env: {
      PATH: '/usr/bin:/bin',
      HOME: fixture.root,
      UV_CACHE_DIR: join(fixture.root, 'uv'),
      UV_PYTHON_DOWNLOADS: 'never',
      SSL_CERT_FILE: '/etc/ssl/certs/ca-certificates.crt',
    },
  });
}

/** Starts the web process, asks it for a page, and gives status line and body. */
const ask = (command: string, path = '/'): string => `
(${command}) >/tmp/server.log 2>&1 &
for i in $(seq 150); do
  python - <<'PY' && exit 0
import urllib.request, urllib.error, sys
request = urllib.request.Request("http://[::1]:8000${path}", headers={"Host": "test.localhost"})
try:
    answer = urllib.request.urlopen(request, timeout=5)
except urllib.error.HTTPError as error:
    answer = error
except OSError:
    sys.exit(1)
print(answer.status, answer.read().decode()[:2000])
PY
  sleep 0.1
done
cat /tmp/server.log; exit 1`;

const web = (built: Built): string => built.image.processTypes['web']?.command ?? '';

describe('a fresh django-admin startproject', () => {
  let source: string;
  let built: Built;
  beforeAll(async () => {
    source = await generate(['django'], ['django-admin', 'startproject', 'mysite', '.']);
    await writeFile(join(source, 'requirements.txt'), 'django~=5.2.0\n');
    built = await fixture.build(await fixture.pack(source));
  });

  it('becomes an image on PostgreSQL with its static files', () => {
    const { image } = built;
    expect(image).toMatchObject({
      framework: 'django',
      needsDatabase: true,
      releaseCommands: [],
      staticFiles: { urlPrefix: '/static/', directory: '/static' },
      env: { DJANGO_SETTINGS_MODULE: 'tandem_settings' },
    });
    expect(image.pythonVersion).toMatch(/^3\.12\./);
    expect(image.staticFiles?.fileCount).toBeGreaterThan(100);
    expect(image.migrations).toContain('auth.0001_initial');
    const rules = image.findings.map((finding) => `${finding.rule}=${finding.value}`);
    expect(rules).toContain('settings=mysite.settings');
    expect(rules).toContain('DATABASES=sqlite3 -> PostgreSQL');
  });

  it('answers its own host', async () => {
    const answer = await fixture.run(built.image, ask(web(built)), {
      DATABASE_URL: 'postgresql://x:x@127.0.0.1:9/x',
    });
    expect(answer.output).toMatch(/^200 /m);
  });

  it('resolves and installs nothing when only code changes', async () => {
    await writeFile(join(source, 'mysite/extra.py'), 'X = 1\n');
    const again = await fixture.build(await fixture.pack(source));
    expect(again.image.layers.dependencies).toEqual(built.image.layers.dependencies);
    expect(again.image.layers.runtime).toEqual(built.image.layers.runtime);
    expect(again.image.layers.code).not.toEqual(built.image.layers.code);
    expect(again.steps.find(({ name }) => name === 'dependencies')?.detail).toMatch(/kept$/);
  });

  it('gives an equal image for an equal source', async () => {
    const archive = await fixture.pack(source);
    const [one, other] = [await fixture.build(archive), await fixture.build(archive)];
    expect(one.image.layers).toEqual(other.image.layers);
  });

  it('shares its dependencies with another app', async () => {
    const other = await fixture.build(await fixture.pack(source), { appId: 2 });
    expect(other.image.layers.dependencies).toEqual(built.image.layers.dependencies);
  });

  it('is built for strangers once a public host is set', async () => {
    const { image } = await fixture.build(await fixture.pack(source), {
      hostnames: ['www.bakery.example'],
    });
    const said = image.findings.map(({ rule, value }) => `${rule}=${value}`);
    expect(said).toContain('DEBUG=False');
    expect(said).toContain('SECRET_KEY=generated once per app');
    expect(said.join('\n')).toContain('check=security.W004: You have not set a value for');
    expect(built.image.findings.map(({ rule }) => rule)).not.toContain('check');
  });

  it('has bytecode that holds without times, in every layer', async () => {
    const check = `python - <<'PY'
import importlib.util, pathlib
def flags(path):
    return int.from_bytes(pathlib.Path(importlib.util.cache_from_source(path)).read_bytes()[4:8], "little")
import django, tandem_runtime.startup, json, gunicorn
print([flags(path) for path in ("/app/mysite/settings.py", django.__file__, tandem_runtime.startup.__file__, gunicorn.__file__, json.__file__)])
PY`;
    const { output } = await fixture.run(built.image, check);
    expect(output.trim()).toBe('[1, 1, 1, 1, 1]');
  });
});

describe('a fresh wagtail project', () => {
  it('is built with its production settings', async () => {
    const source = await generate(['wagtail'], ['wagtail', 'start', 'bakery', '.']);
    const { image } = await fixture.build(await fixture.pack(source));
    expect(image).toMatchObject({ framework: 'django', needsDatabase: true });
    expect(image.findings).toContainEqual(
      expect.objectContaining({ rule: 'settings', value: 'bakery.settings.production' }),
    );
    expect(image.migrations?.some((name) => name.startsWith('wagtailcore.'))).toBe(true);
    expect(image.staticFiles?.fileCount).toBeGreaterThan(200);
  }, 300_000);
});

describe('without Django', () => {
  it('Flask is served by our gunicorn', async () => {
    const built = await fixture.build(
      await fixture.packFiles({
        'requirements.txt': 'flask==3.0.3\n',
        'app.py':
          'from flask import Flask, request\napp = Flask(__name__)\n@app.get("/")\ndef index():\n    return "flask on " + request.host\n',
      }),
    );
    expect(built.image).toMatchObject({ framework: 'flask', needsDatabase: false });
    expect((await fixture.run(built.image, ask(web(built)))).output).toContain(
      '200 flask on test.localhost',
    );
  });

  it('FastAPI is served by our uvicorn, from a pyproject without lock', async () => {
    const built = await fixture.build(
      await fixture.packFiles({
        'pyproject.toml':
          '[project]\nname = "api"\nversion = "1"\nrequires-python = ">=3.12"\ndependencies = ["fastapi"]\n',
        'main.py':
          'from fastapi import FastAPI\napp = FastAPI()\n@app.get("/")\ndef index():\n    return {"hello": "fastapi"}\n',
      }),
    );
    expect(built.image).toMatchObject({ framework: 'fastapi' });
    expect((await fixture.run(built.image, ask(web(built)))).output).toContain(
      '200 {"hello":"fastapi"}',
    );
  });

  it('a uv.lock is installed as it stands, without its development group', async () => {
    const directory = await mkdtemp(join(fixture.root, 'project-'));
    await writeFile(
      join(directory, 'pyproject.toml'),
      '[project]\nname = "api"\nversion = "1"\nrequires-python = ">=3.8"\ndependencies = ["flask<3"]\n[dependency-groups]\ndev = ["six"]\n',
    );
    await writeFile(join(directory, 'app.py'), 'from flask import Flask\napp = Flask(__name__)\n');
    await uv(['lock', '--python', '/usr/bin/python3'], directory);
    const { image } = await fixture.build(await fixture.pack(directory));
    expect((await fixture.run(image, 'python -c "import flask"')).code).toBe(0);
    expect((await fixture.run(image, 'python -c "import six"')).code).toBe(1);
  });

  it('a package in src is installed with its console script', async () => {
    const built = await fixture.build(
      await fixture.packFiles({
        'pyproject.toml':
          '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n[project]\nname = "shop"\nversion = "1.2"\ndependencies = ["flask"]\n[project.scripts]\nshopctl = "shop:main"\n',
        'src/shop/__init__.py':
          'from flask import Flask\nfrom importlib.metadata import version\napp = Flask("shop")\ndef main():\n    print("shop", version("shop"))\n',
      }),
    );
    expect((await fixture.run(built.image, 'shopctl')).output).toBe('shop 1.2\n');
    expect(built.image.framework).toBe('flask');
  });

  it('a plain WSGI file is served, whatever its gunicorn.conf.py binds', async () => {
    const built = await fixture.build(
      await fixture.packFiles({
        'hello.py':
          'def application(environ, start_response):\n    start_response("200 OK", [])\n    return [b"hello " + environ["wsgi.url_scheme"].encode()]\n',
        'gunicorn.conf.py': 'bind = "127.0.0.1:9999"\nworkers = 1\n',
      }),
    );
    expect(built.image).toMatchObject({
      framework: 'wsgi',
      needsDatabase: false,
      releaseCommands: [],
    });
    expect((await fixture.run(built.image, ask(web(built)))).output).toContain('200 hello http');
  });

  it('a command of the Procfile is run with its port', async () => {
    const built = await fixture.build(
      await fixture.packFiles({
        'requirements.txt': 'gunicorn\n',
        Procfile: 'web: gunicorn --workers 1 hello:app\nclock: python tick.py\n',
        'hello.py':
          'def app(environ, start_response):\n    start_response("200 OK", [])\n    return [b"own"]\n',
      }),
    );
    expect(built.image.processTypes).toMatchObject({
      web: { kind: 'web', command: 'gunicorn --workers 1 hello:app' },
      clock: { kind: 'singleton' },
    });
    expect(built.image.layers.additions).toEqual([]);
    expect((await fixture.run(built.image, ask(web(built)))).output).toContain('200 own');
  });
});
