// Dependency files of every kind, really resolved and installed, on the Python that they work on.
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createBuilderFixture,
  type BuilderFixture,
  type Built,
} from '../support/builder-fixture.ts';

let fixture: BuilderFixture;
beforeAll(async () => {
  fixture = await createBuilderFixture();
});
afterAll(() => fixture.close());

type Files = Record<string, string>;
const APP = { 'hello.py': 'def app(environ, start_response):\n    return []\n' };
const SIX_WHEEL = 'sha256:8abb2f1d86890a2dfb989f9a77cfcfd3e47c2a354b01111771326f8aa26e0254';

const build = async (files: Files, config = {}): Promise<Built> =>
  await fixture.build(await fixture.packFiles({ ...APP, ...files }), { config });
/** `name version` of what the image holds, as its own interpreter sees it. */
const installed = async (built: Built): Promise<string[]> => {
  const list =
    'import importlib.metadata as m; print(*sorted(d.metadata["Name"].lower() + " " + d.version for d in m.distributions(path=[p for p in __import__("sys").path if p.startswith("/venv")])), sep="\\n")';
  const { output } = await fixture.run(built.image, `python -c '${list}'`);
  return output.trim().split('\n');
};
const failure = async (files: Files): Promise<unknown> =>
  await build(files).then(
    () => 'was built',
    (error: unknown) => error,
  );
const findingOf = (built: Built, rule: string) =>
  built.image.findings.find((finding) => finding.rule === rule);

describe('what is installed', () => {
  it('the hashes of a compiled file, and no others', async () => {
    const compiled = (hash: string): Files => ({
      'requirements.txt': `six==1.16.0 \\\n    --hash=${hash}\n    # via app\n`,
    });
    expect(await installed(await build(compiled(SIX_WHEEL)))).toEqual(['six 1.16.0']);
    expect(await failure(compiled(`sha256:${'0'.repeat(64)}`))).toMatchObject({
      code: 'REQUIREMENTS_UNSATISFIABLE',
      where: 'requirements.txt:1',
    });
  });

  it('the general file with what production adds, in UTF-16 and an old dialect', async () => {
    const directory = await mkdtemp(join(fixture.root, 'project-'));
    const texts: Record<string, string | Buffer> = {
      ...APP,
      'requirements/base.txt': Buffer.from('\ufeffsix==1.16.0\r\n', 'utf16le'),
      'requirements/prod.txt': '--use-mirrors\nidna>=3.*\n',
      'requirements/dev.txt': '-r base.txt\npytest\n',
    };
    await mkdir(join(directory, 'requirements'));
    for (const [path, text] of Object.entries(texts)) await writeFile(join(directory, path), text);
    const files = await fixture.pack(directory);
    const names = (await installed(await fixture.build(files))).map((line) => line.split(' ')[0]);
    expect(names).toEqual(['idna', 'six']);
  });

  it('groups and extras for production of a pyproject.toml', async () => {
    const built = await build({
      'pyproject.toml':
        '[project]\nname = "x"\nversion = "1"\ndependencies = ["six==1.16.0"]\n[project.optional-dependencies]\nprod = ["idna==3.7"]\ndev = ["pytest"]\n[dependency-groups]\ndeploy = ["certifi==2024.7.4"]\nlint = ["ruff"]\n',
    });
    expect(await installed(built)).toEqual(['certifi 2024.7.4', 'idna 3.7', 'six 1.16.0']);
  });

  it('Poetry without a lock, and with one that is out of date', async () => {
    const files = {
      'pyproject.toml':
        '[tool.poetry]\npackage-mode = false\n[tool.poetry.dependencies]\npython = "^3.8"\nsix = "~1.16"\nidna = "^3.0"\n[tool.poetry.group.dev.dependencies]\npytest = "*"\n',
      'poetry.lock': `[[package]]\nname = "idna"\nversion = "3.3"\nfiles = []\n`,
    };
    const built = await build(files);
    expect(await installed(built)).toEqual(['idna 3.3', 'six 1.16.0']);
    expect(findingOf(built, 'dependencies')?.why).toContain('poetry.lock is out of date: six');
  });

  it('Pipfile.lock as it stands', async () => {
    const lock = {
      _meta: { sources: [{ name: 'pypi', url: 'https://pypi.org/simple', verify_ssl: true }] },
      default: { six: { version: '==1.16.0', hashes: [SIX_WHEEL], index: 'pypi' } },
      develop: { pytest: { version: '==8.0.0', hashes: [] } },
    };
    const built = await build({
      Pipfile: '[packages]\nsix = "*"\n[requires]\npython_version = "3.11"\n',
      'Pipfile.lock': JSON.stringify(lock),
    });
    expect(await installed(built)).toEqual(['six 1.16.0']);
    expect(built.image.pythonVersion).toMatch(/^3\.11\./);
  });

  it('pdm.lock and pylock.toml as they stand', async () => {
    const project =
      '[project]\nname = "shop"\nversion = "1"\ndependencies = ["six"]\n[dependency-groups]\ndev = ["ruff"]\n';
    const pdm = `[[package]]\nname = "six"\nversion = "1.16.0"\nfiles = [{file = "six.whl", hash = "${SIX_WHEEL}"}]\n[[package]]\nname = "ruff"\nversion = "0.5.0"\nfiles = []\n`;
    const first = await build({ 'pyproject.toml': project, 'pdm.lock': pdm });
    expect(await installed(first)).toEqual(['six 1.16.0']);
    const pylock = `lock-version = "1.0"\ncreated-by = "test"\n[[packages]]\nname = "six"\nversion = "1.16.0"\nwheels = [{ url = "https://x/six.whl", hashes = { sha256 = "${SIX_WHEEL.slice(7)}" } }]\n[[packages]]\nname = "ruff"\nversion = "0.5.0"\nmarker = "'dev' in dependency_groups"\n`;
    const second = await build({ 'pylock.toml': pylock });
    expect(await installed(second)).toEqual(['six 1.16.0']);
  });

  it('one project of a uv workspace, with the packages of the others that it asks for', async () => {
    const files: Files = {
      'pyproject.toml':
        '[project]\nname = "all"\nversion = "1"\nrequires-python = ">=3.9"\ndependencies = []\n[tool.uv.workspace]\nmembers = ["web", "core"]\n',
      'web/pyproject.toml':
        '[project]\nname = "web"\nversion = "1"\nrequires-python = ">=3.9"\ndependencies = ["core"]\n[tool.uv.sources]\ncore = { workspace = true }\n',
      'web/hello.py': `import core\n${APP['hello.py']}`,
      'core/pyproject.toml':
        '[project]\nname = "core"\nversion = "2"\nrequires-python = ">=3.9"\ndependencies = ["six"]\n[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n',
      'core/src/core/__init__.py': 'import six\n',
      'uv.lock': `version = 1
requires-python = ">=3.9"
[manifest]
members = ["all", "core", "web"]
[[package]]
name = "all"
version = "1"
source = { virtual = "." }
[[package]]
name = "core"
version = "2"
source = { editable = "core" }
dependencies = [{ name = "six" }]
[package.metadata]
requires-dist = [{ name = "six" }]
[[package]]
name = "six"
version = "1.16.0"
source = { registry = "https://pypi.org/simple" }
wheels = [{ url = "https://files.pythonhosted.org/packages/d9/5a/e7c31adbe875f2abbb91bd84cf2dc52d792b5a01506781dbcf25c91daf11/six-1.16.0-py2.py3-none-any.whl", hash = "${SIX_WHEEL}", size = 11053 }]
[[package]]
name = "web"
version = "1"
source = { virtual = "web" }
dependencies = [{ name = "core" }]
[package.metadata]
requires-dist = [{ name = "core", editable = "core" }]
`,
      'tandem.toml': 'root = "web"\n',
    };
    const built = await fixture.build(await fixture.packFiles(files));
    expect(await installed(built)).toEqual(['core 2', 'six 1.16.0']);
    expect(findingOf(built, 'dependencies')).toMatchObject({
      value: 'uv.lock',
      why: 'web is one of its workspace',
    });
  });

  it('a project with setup.py, its dependencies and its script', async () => {
    const built = await build({
      'setup.py':
        'from setuptools import setup\nsetup(name="shop", version="2", py_modules=["hello"], install_requires=["six==1.16.0"], entry_points={"console_scripts": ["shopctl = hello:main"]})\n',
      'hello.py': `${APP['hello.py']}def main():\n    import six\n    print("six", six.__version__)\n`,
    });
    expect((await fixture.run(built.image, 'shopctl')).output).toBe('six 1.16.0\n');
  });

  it('what is imported where no file says it', async () => {
    const built = await build({
      'hello.py': 'from bottle import Bottle\napp = Bottle()\n',
    });
    expect((await installed(built))[0]).toMatch(/^bottle /);
    expect(findingOf(built, 'dependencies')).toMatchObject({
      value: 'bottle',
      evidence: 'hello.py:1',
    });
  });
});

describe('a project whose build imports what it depends on', () => {
  const setup = (more: string) =>
    `from setuptools import setup\nimport shop\nsetup(name="shop", version=shop.VERSION, packages=["shop"], install_requires=["six==1.16.0"], ${more})\n`;
  const shop = (module: string): Files => ({
    'shop/__init__.py': `import ${module}\nVERSION = "3"\ndef main():\n    print("shop", VERSION)\n`,
  });

  it('is installed after them, with them in reach', async () => {
    const built = await build({
      'setup.py': setup('entry_points={"console_scripts": ["shopctl = shop:main"]}'),
      Procfile: 'web: gunicorn hello:app\nworker: shopctl\n',
      ...shop('six'),
    });
    expect(await installed(built)).toEqual(['shop 3', 'six 1.16.0']);
    expect((await fixture.run(built.image, 'shopctl')).output).toBe('shop 3\n');
    expect(built.log).toContain('with that installed first');
  });

  it('is left out when that fails too and nothing needs it', async () => {
    const files = { 'setup.py': setup(''), ...shop('nowhere') };
    const built = await build(files);
    expect(await installed(built)).toEqual(['six 1.16.0']);
    expect(findingOf(built, 'install')).toMatchObject({ value: 'not itself' });
    const script = setup('entry_points={"console_scripts": ["shopd = shop:main"]}');
    const needed = { ...files, 'setup.py': script, Procfile: 'web: shopd\n' };
    expect(await failure(needed)).toMatchObject({
      code: 'DEPENDENCY_BUILD_FAILED',
      message: expect.stringContaining('The project itself could not be built') as string,
    });
  });
});

describe('the Python', () => {
  it('of an old project is the nearest that there is', async () => {
    const built = await build({
      'runtime.txt': 'python-3.6.4\n',
      'requirements.txt': 'six==1.10.0\n',
    });
    expect(built.image.pythonVersion).toMatch(/^3\.7\./);
    expect(findingOf(built, 'python')?.why).toContain('asks for 3.6.4, which is not available');
  });

  it('is the newest that pinned wheels were built for', async () => {
    const built = await build({ 'requirements.txt': 'psycopg2-binary==2.8.6\n' });
    expect(built.image.pythonVersion).toMatch(/^3\.9\./);
    expect(await installed(built)).toEqual(['psycopg2-binary 2.8.6']);
  });
});

describe('setuptools', () => {
  const uses = (module: string): Files => ({
    'hello.py': `import ${module}\n${APP['hello.py']}`,
    'requirements.txt': 'six\n',
  });

  it.each(['pkg_resources', 'distutils.version'])(
    'is there for %s, beside the app',
    async (module) => {
      const built = await build(uses(module));
      expect(findingOf(built, 'setuptools')).toMatchObject({ evidence: 'hello.py:1' });
      const { output } = await fixture.run(
        built.image,
        `python -c 'import ${module}; print("ok")'`,
      );
      expect(output).toContain('ok');
      expect((await installed(built)).join()).not.toContain('setuptools');
    },
  );

  it('is found to be needed by a package, also when its layer is kept', async () => {
    const files = { 'requirements.txt': 'celery==5.0.5\n' };
    expect(findingOf(await build(files), 'setuptools')?.evidence).toContain('celery/');
    const again = await build(files);
    expect(again.steps.find(({ name }) => name === 'dependencies')?.detail).toMatch(/kept$/);
    expect(findingOf(again, 'setuptools')?.evidence).toContain('celery/');
    expect(
      (await fixture.run(again.image, 'python -c "import celery.app, celery.bin.celery"')).code,
    ).toBe(0);
  });

  it('is not added to what can do without', async () => {
    const built = await build({ 'requirements.txt': 'six\n' });
    expect(findingOf(built, 'setuptools')).toBeUndefined();
  });
});

it('packaging is there for a kombu that forgets to ask for it', async () => {
  const files = {
    'hello.py': `import kombu.transport.redis\n${APP['hello.py']}`,
    'requirements.txt': 'kombu==5.7.0\nredis\n',
  };
  const built = await build(files);
  expect(findingOf(built, 'packaging')?.evidence).toContain('kombu/transport/redis.py:');
  const again = await build(files);
  expect(findingOf(again, 'packaging')?.evidence).toContain('kombu/transport/redis.py:');
  expect((await installed(again)).join()).not.toContain('packaging');
  const run = await fixture.run(again.image, 'python -c "import kombu.transport.redis"');
  expect(run).toMatchObject({ code: 0 });
});
