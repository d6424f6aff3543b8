import { describe, expect, it } from 'vitest';
import { detectDependencyFiles } from '../dependency-files.ts';
import { memoryTree } from '../source-tree.ts';

type Files = Record<string, string>;
const detectIn = (files: Files, root = '') => detectDependencyFiles(memoryTree(files), root);
const sourceIn = (files: Files, root = '') => detectIn(files, root).value;
const whyIn = (files: Files, root = '') =>
  detectIn(files, root).findings.map(({ rule, value, why, evidence }) =>
    [rule, value, why, evidence].join(' | '),
  );
const refusal = (files: Files): unknown => {
  try {
    return detectIn(files);
  } catch (error) {
    return error;
  }
};
const HASH = `--hash=sha256:${'a'.repeat(64)}`;
const FLASK = 'from flask import Flask\napp = Flask(__name__)\n';

it('takes a general file that includes the one for production as the whole', () => {
  const tree = memoryTree({
    'requirements.txt': '-r requirements/heroku.txt\n',
    'requirements/heroku.txt': '-r prod.txt\ngunicorn==19.7.1\n',
    'requirements/prod.txt': '-r common.txt\npsycopg2\n',
    'requirements/common.txt': 'flask\n',
  });
  const { value, findings } = detectDependencyFiles(tree, '');
  expect(value.names).toContain('gunicorn');
  expect(findings[0]).toMatchObject({ value: 'requirements.txt' });
});

describe('requirements files', () => {
  it.each([
    [
      ['requirements/prod.txt', 'requirements/base.txt', 'requirements/dev.txt'],
      'requirements/prod.txt',
    ],
    [['requirements.txt', 'requirements-dev.txt'], 'requirements.txt'],
    [['dev-requirements.txt', 'production-requirements.txt'], 'production-requirements.txt'],
    [['requirements_heroku.txt', 'requirements_live.txt'], 'requirements_live.txt'],
    [['requirements/common.txt', 'requirements/testing.txt'], 'requirements/common.txt'],
    [['requirements.in'], 'requirements.in'],
    [['requirements.in', 'requirements.txt'], 'requirements.txt'],
    [['requirements/base.in', 'requirements/base.txt'], 'requirements/base.txt'],
    [['reqs/deploy.txt', 'reqs/docs.txt'], 'reqs/deploy.txt'],
    [['requirements-py3.txt', 'requirements-lint.txt'], 'requirements-py3.txt'],
    [['requirements-dev.txt'], 'requirements-dev.txt'],
  ])('of %j takes %s', (paths, expected) => {
    const files = Object.fromEntries(paths.map((path) => [path, 'flask\n']));
    expect(sourceIn(files).files[0]).toBe(expected);
  });

  it('a production file that includes the general one stands for both', () => {
    const files = {
      'requirements.txt': 'django\n',
      'requirements-prod.txt': '-r requirements.txt\ngunicorn\n',
    };
    expect(sourceIn(files)).toMatchObject({
      files: ['requirements-prod.txt', 'requirements.txt'],
      names: ['gunicorn', 'django'],
    });
    expect(sourceIn(files).requirements).toBeUndefined();
  });

  it('a production file that only adds is taken with the general one', () => {
    const files = { 'requirements.txt': 'django\n', 'requirements-prod.txt': 'gunicorn\n' };
    expect(sourceIn(files)).toMatchObject({
      names: ['django', 'gunicorn'],
      requirements: '-r requirements.txt\n-r requirements-prod.txt\n',
    });
    expect(whyIn(files)[0]).toContain('requirements-prod.txt adds to it');
    const inside = { 'requirements/base.txt': 'django\n', 'requirements/prod.txt': 'gunicorn\n' };
    expect(sourceIn(inside)).toMatchObject({
      directory: '',
      requirements: '-r requirements/base.txt\n-r requirements/prod.txt\n',
    });
  });

  it('one that was compiled apart from the general one may share a version with it', () => {
    const general = 'django==5.2\nasgiref==3.9 # django\npytz==2026.1\n';
    const files = (pin: string) => ({
      'requirements/main.txt': general,
      'requirements/deploy.txt': `gunicorn==23\nasgiref==${pin}\n`,
    });
    expect(sourceIn(files('3.9')).names).toEqual(['django', 'asgiref', 'pytz', 'gunicorn']);
    expect(sourceIn(files('3.8')).files).toEqual(['requirements/deploy.txt']);
  });

  it('a production file that repeats the general one is taken alone', () => {
    const files = { 'requirements.txt': 'django==4\n', 'requirements-prod.txt': 'django==5\n' };
    expect(sourceIn(files).files).toEqual(['requirements-prod.txt']);
  });

  it('a requirements.txt that includes those of developers is theirs', () => {
    const files = {
      'requirements.txt': '-r requirements/local.txt\n',
      'requirements/local.txt': '-r base.txt\npytest\n',
      'requirements/base.txt': 'django\n',
    };
    expect(sourceIn(files)).toMatchObject({
      files: ['requirements/base.txt'],
      developmentOnly: { pytest: '' },
    });
  });

  it('includes are followed however they are written, constraints ask for nothing', () => {
    const files = {
      'requirements.txt': '-rbase.txt\n--requirement=more.txt\n-c constraints.txt\n',
      'base.txt': 'django\n',
      'more.txt': 'six\n',
      'constraints.txt': 'pytest==8\n',
    };
    expect(sourceIn(files)).toMatchObject({
      files: ['requirements.txt', 'base.txt', 'more.txt', 'constraints.txt'],
      names: ['django', 'six'],
    });
  });

  it('hashes of pip-compile make the file its own lock, one without hash undoes that', () => {
    const compiled = `--index-url https://pypi.org/simple\nflask==3.0 \\\n    ${HASH} \\\n    ${HASH}\n    # via app\n`;
    expect(sourceIn({ 'requirements.txt': compiled }).kind).toBe('hashed-requirements');
    expect(sourceIn({ 'requirements.txt': `${compiled}six\n` }).kind).toBe('requirements');
    expect(sourceIn({ 'requirements.txt': 'flask==3.0\n' }).kind).toBe('requirements');
  });

  it('an empty one hides nothing, a broken one only when it is not chosen', () => {
    expect(
      sourceIn({
        'requirements.txt': '# none\n',
        'setup.py': 'from setuptools import setup\nsetup(name="x")',
      }),
    ).toMatchObject({
      requirements: '-e .\n',
    });
    expect(sourceIn({ 'requirements.txt': '' })).toMatchObject({ kind: 'requirements', names: [] });
    const broken = { 'requirements-dev.txt': '-r gone.txt\n', 'requirements.txt': 'flask\n' };
    expect(sourceIn(broken).names).toEqual(['flask']);
    expect(refusal({ 'requirements/prod.txt': '-r gone.txt\n' })).toMatchObject({
      code: 'REQUIREMENTS_INVALID',
      where: 'requirements/prod.txt:1',
    });
  });
});

describe('the place', () => {
  const project = '[project]\nname = "x"\nversion = "1"\ndependencies = ["flask"]\n';

  it('is the nearest directory upward', () => {
    const files = {
      'a/b/app.py': FLASK,
      'a/requirements.txt': 'flask\n',
      'requirements.txt': 'six\n',
    };
    expect(sourceIn(files, 'a/b').files).toEqual(['a/requirements.txt']);
  });

  it('is below only when nothing lies upward, and says so', () => {
    const files = {
      'app.py': FLASK,
      'pyproject.toml': '[tool.black]\n',
      'docs/requirements.txt': 'sphinx\n',
      'config/requirements.txt': 'flask\n',
    };
    expect(sourceIn(files).files).toEqual(['config/requirements.txt']);
    expect(whyIn(files)[0]).toContain('the only one that was found');
    const two = { ...files, 'backend/requirements.txt': 'flask\n' };
    expect(whyIn(two)[0]).toContain('the first of several: config/requirements.txt');
  });

  it('a project table without dependencies gives way to requirements', () => {
    const empty = '[project]\nname = "x"\nversion = "1"\n';
    expect(sourceIn({ 'pyproject.toml': empty, 'requirements.txt': 'flask\n' }).kind).toBe(
      'requirements',
    );
    expect(sourceIn({ 'pyproject.toml': empty }).kind).toBe('pyproject');
    expect(sourceIn({ 'pyproject.toml': project, 'requirements.txt': 'six\n' }).kind).toBe(
      'pyproject',
    );
  });
});

describe('pyproject.toml', () => {
  const standard = (more: string): Files => ({
    'pyproject.toml': `[project]\nname = "shop"\nversion = "1"\ndependencies = ["flask>=3"]\n${more}`,
  });

  it('is read with extras and groups for production, never with those of developers', () => {
    const files = standard(
      '[project.optional-dependencies]\npostgres = ["psycopg"]\ndev = ["ruff"]\nmysql = ["mysqlclient"]\n' +
        '[dependency-groups]\nprod = ["gunicorn", {include-group = "shared"}]\nshared = ["six"]\ntest-server = ["pytest"]\n',
    );
    expect(sourceIn(files)).toMatchObject({
      kind: 'pyproject',
      extras: ['postgres'],
      groups: ['prod'],
      names: ['flask', 'psycopg', 'gunicorn', 'six'],
      developmentOnly: { mysqlclient: 'mysql', ruff: 'dev', pytest: 'test-server' },
    });
    expect(whyIn(files)[0]).toContain('with postgres, prod');
  });

  it('is read with the group that is called as the directory of the app', () => {
    const files = standard('[dependency-groups]\nexample = ["six"]\nother = ["ruff"]\n');
    const tree = memoryTree({ ...files, 'example/manage.py': '' });
    expect(detectDependencyFiles(tree, 'example').value).toMatchObject({
      groups: ['example'],
      names: ['flask', 'six'],
      developmentOnly: { ruff: 'other' },
    });
  });

  it.each<[string, string, readonly string[]]>([
    ['the general ones', 'main = ["flask"]\nextra = ["six"]\ndev = ["ruff"]\n', ['main']],
    ['those for production', 'prod = ["flask"]\nbase = ["six"]\nx = ["y"]\n', ['prod', 'base']],
    ['what is not for developers', 'shop = ["flask"]\ntest = ["pytest"]\n', ['shop']],
  ])('without a project, of its groups: %s', (_, groups, chosen) => {
    const files = { 'pyproject.toml': `[dependency-groups]\n${groups}` };
    expect(sourceIn(files)).toMatchObject({ kind: 'requirements', groups: chosen });
    expect(sourceIn(files).requirements).toContain('flask\n');
    expect(whyIn(files)[0]).toContain(`with ${chosen.join(', ')}`);
  });

  describe('groups that the user names', () => {
    const inFiles = (files: Files, groups: readonly string[]) =>
      detectDependencyFiles(memoryTree(files), '', { groups }).value;
    const PROJECT = '[project]\nname = "shop"\nversion = "1"\ndependencies = ["flask"]\n';

    it.each([
      ['a group', `${PROJECT}[dependency-groups]\ntest = ["environ"]\n`],
      ['an extra', `${PROJECT}[project.optional-dependencies]\ntest = ["environ"]\n`],
      [
        'a group of Poetry',
        '[tool.poetry.dependencies]\nflask = "*"\n[tool.poetry.group.test.dependencies]\nenviron = "*"\n',
      ],
    ])('are installed: %s', (_, pyproject) => {
      const files = { 'pyproject.toml': pyproject };
      expect(inFiles(files, ['test']).names).toEqual(['flask', 'environ']);
      expect(inFiles(files, []).names).toEqual(['flask']);
    });

    it('are extras of a setup.cfg too', () => {
      const files = {
        'setup.py': 'from setuptools import setup\nsetup()\n',
        'setup.cfg': '[metadata]\nname = shop\n[options.extras_require]\ntest = environ\n',
      };
      expect(inFiles(files, ['test']).requirements).toBe('-e .[test]\n');
    });

    it.each([
      ['a name that nobody knows', { 'pyproject.toml': PROJECT }],
      ['requirements, which have none', { 'requirements.txt': 'test\n' }],
      ['no file at all', {}],
    ])('are refused: %s', (_, files) => {
      expect(() => inFiles(files as Files, ['test'])).toThrow(/has no group or extra "test"/);
    });
  });

  it('that is missing leaves what is imported and what Django is to load', () => {
    const { value } = detectDependencyFiles(
      memoryTree({
        'manage.py': 'import django\n',
        'shop/settings.py':
          'INSTALLED_APPS = [\n    "django.contrib.auth",\n    "mezzanine.core",\n    "rest_framework",\n    "shop",\n    "unheard_of",\n]\n',
      }),
      '',
    );
    expect(value.names).toEqual(['django', 'mezzanine', 'djangorestframework']);
    expect(value.lines[1]).toMatchObject({ evidence: 'shop/settings.py:1' });
  });

  it('with groups for developers only is no dependency file', () => {
    const files = { 'pyproject.toml': '[dependency-groups]\ndev = ["ruff"]\n' };
    expect(sourceIn({ ...files, 'requirements.txt': 'flask\n' }).files).toEqual([
      'requirements.txt',
    ]);
    expect(sourceIn(files).kind).toBe('none');
  });

  it('may leave its dependencies to a file or to its build', () => {
    const dynamic = '[project]\nname = "x"\ndynamic = ["dependencies"]\n';
    const file = '[tool.setuptools.dynamic]\ndependencies = {file = ["deps.txt"]}\n';
    expect(sourceIn({ 'pyproject.toml': dynamic + file, 'deps.txt': 'flask\n' })).toMatchObject({
      kind: 'requirements',
      names: ['flask'],
    });
    expect(sourceIn({ 'pyproject.toml': dynamic, 'requirements.txt': 'flask\n' })).toMatchObject({
      kind: 'requirements',
      files: ['requirements.txt'],
    });
    expect(sourceIn({ 'pyproject.toml': dynamic })).toMatchObject({
      kind: 'pyproject',
      namesPaths: true,
    });
  });

  it('of Poetry becomes the requirements it means', () => {
    const files = {
      'pyproject.toml': `[tool.poetry]\nname = "shop"\npackage-mode = false
[tool.poetry.dependencies]
python = "^3.11"
Django = "^4.2"
celery = {version = "~5.3", extras = ["redis"], python = ">=3.8"}
ours = {git = "https://git.example/ours.git", tag = "v1"}
psycopg = {version = "*", optional = true}
mysqlclient = {version = "*", optional = true}
[tool.poetry.extras]
postgres = ["psycopg"]
mysql = ["mysqlclient"]
[tool.poetry.group.prod.dependencies]
gunicorn = ">=20 <24"
[tool.poetry.group.dev.dependencies]
pytest = "*"
[[tool.poetry.source]]
name = "ours"
url = "https://index.example/simple"
`,
    };
    const found = sourceIn(files);
    expect(found.kind).toBe('requirements');
    expect(found.requirements?.trim().split('\n')).toEqual([
      '--extra-index-url https://index.example/simple',
      'Django>=4.2,<5',
      'celery[redis]>=5.3,<5.4 ; python_version >= "3.8"',
      'ours @ git+https://git.example/ours.git@v1',
      'psycopg',
      'gunicorn>=20,<24',
    ]);
    expect(found.lines[0]).toMatchObject({ name: 'django', evidence: 'pyproject.toml:6' });
    expect(found.developmentOnly).toHaveProperty('pytest');
  });

  it.each(['dependencies = "flask"', 'dependencies = [1]'])('refuses %s', (line) => {
    expect(refusal({ 'pyproject.toml': `[project]\nname = "x"\n${line}\n` })).toMatchObject({
      code: 'PYPROJECT_INVALID',
    });
  });
});

describe('locks', () => {
  const pyproject = '[project]\nname = "shop"\nversion = "1"\ndependencies = ["flask==3.0"]\n';
  const lock = (name: string, version = '3.0.0') =>
    `[[package]]\nname = "shop"\nversion = "1"\n[[package]]\nname = "${name}"\nversion = "${version}"\n`;

  it('the one that fits is used, and the others are named', () => {
    const files = {
      'pyproject.toml': pyproject,
      'uv.lock': lock('django'),
      'poetry.lock': lock('flask'),
    };
    expect(sourceIn(files)).toMatchObject({ kind: 'poetry-lock', names: ['flask'] });
    expect(whyIn(files)[0]).toContain('fits pyproject.toml; not used: uv.lock');
    const both = { ...files, 'uv.lock': lock('Flask') };
    expect(sourceIn(both).kind).toBe('uv-lock');
    const poetry = { ...both, 'pyproject.toml': `${pyproject}[tool.poetry]\n` };
    expect(sourceIn(poetry).kind).toBe('poetry-lock');
  });

  it('one that is out of date lends its versions', () => {
    const files = { 'pyproject.toml': pyproject, 'uv.lock': lock('six', '1.16') };
    expect(sourceIn(files)).toMatchObject({ kind: 'pyproject', preferred: 'six==1.16\n' });
    expect(whyIn(files)[0]).toContain('uv.lock is out of date: flask is not in it');
    const other = { 'pyproject.toml': pyproject, 'uv.lock': lock('flask', '2.9') };
    expect(whyIn(other)[0]).toContain('it holds flask 2.9, not 3.0');
  });

  it('a lock without its pyproject.toml is none', () => {
    expect(sourceIn({ 'uv.lock': lock('flask'), 'requirements.txt': 'six\n' }).kind).toBe(
      'requirements',
    );
  });

  it('Pipfile.lock, or Pipfile when they disagree', () => {
    const pipfile =
      '[[source]]\nurl = "https://pypi.org/simple"\n[packages]\nFlask = "*"\n[dev-packages]\npytest = "*"\n';
    const locked = (name: string): string =>
      JSON.stringify({
        default: { [name]: { version: '==3.0', hashes: ['sha256:00'] } },
        develop: { x: {} },
      });
    expect(sourceIn({ Pipfile: pipfile, 'Pipfile.lock': locked('flask') })).toMatchObject({
      kind: 'pipfile-lock',
      names: ['flask'],
    });
    const stale = { Pipfile: pipfile, 'Pipfile.lock': locked('six') };
    expect(sourceIn(stale)).toMatchObject({
      kind: 'requirements',
      requirements: '--index-url https://pypi.org/simple\nFlask\n',
    });
    expect(refusal({ Pipfile: pipfile, 'Pipfile.lock': '{' })).toMatchObject({
      code: 'REQUIREMENTS_INVALID',
      where: 'Pipfile.lock',
    });
    expect(refusal({ Pipfile: '[packages\n' })).toMatchObject({ where: 'Pipfile:1 [packages' });
  });
});
