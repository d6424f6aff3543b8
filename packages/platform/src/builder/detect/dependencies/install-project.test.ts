import { describe, expect, it } from 'vitest';
import { detectDependencyFiles } from '../dependency-files.ts';
import { memoryTree } from '../source-tree.ts';

type Files = Record<string, string>;
const detectIn = (files: Files, root = '') => detectDependencyFiles(memoryTree(files), root);
const sourceIn = (files: Files, root = '') => detectIn(files, root).value;
const whyIn = (files: Files) =>
  detectIn(files).findings.map(({ rule, value, why, evidence }) =>
    [rule, value, why, evidence].join(' | '),
  );

describe('the project itself is installed', () => {
  const build = '[build-system]\nrequires = ["hatchling"]\n';
  const project = `${build}[project]\nname = "my-shop"\nversion = "1"\ndependencies = ["flask"]\n`;
  const installs = (files: Files, root = '') => sourceIn(files, root).installProject;

  it.each<[string, Files]>([
    ['src layout', { 'src/shop/__init__.py': '' }],
    [
      'own metadata',
      { 'shop.py': 'from importlib.metadata import version\nV = version("my_shop")\n' },
    ],
    [
      'own metadata by a function of its own',
      {
        'shop/utils.py':
          'from importlib import import_module, metadata\ndef package_version(n):\n    return metadata.version(n)\n',
        'shop/app.py': 'from .utils import package_version\nV = package_version("my_shop")\n',
      },
    ],
    [
      'own metadata by package',
      {
        'shop/__init__.py':
          'import importlib_metadata\nV = importlib_metadata.version(__package__)\n',
      },
    ],
  ])('%s', (_, files) => {
    expect(installs({ 'pyproject.toml': project, ...files })).toBe(true);
    expect(installs({ 'pyproject.toml': project.replace(build, ''), ...files })).toBe(false);
    const refused = `${project}[tool.uv]\npackage = false\n`;
    expect(installs({ 'pyproject.toml': refused, ...files })).toBe(false);
  });

  it('when its script is run or its entry points are looked up', () => {
    const scripts = `${project}[project.scripts]\nshopctl = "shop:main"\n`;
    expect(installs({ 'pyproject.toml': scripts })).toBe(false);
    expect(installs({ 'pyproject.toml': scripts, Procfile: 'web: gunicorn shop\n' })).toBe(false);
    const run = { 'pyproject.toml': scripts, Procfile: 'web: exec shopctl serve\n' };
    expect(installs(run)).toBe(true);
    expect(whyIn(run)[1]).toBe('install | my-shop | its script shopctl is run | Procfile:1');
    const points = `${project}[project.entry-points."paste.app_factory"]\nmain = "shop:main"\n`;
    expect(installs({ 'pyproject.toml': points })).toBe(true);
    const setup =
      'from setuptools import setup\nsetup(name="shop", entry_points="""\n[paste.app_factory]\nmain = shop:main\n""")\n';
    expect(installs({ 'requirements.txt': 'pyramid\n', 'setup.py': setup })).toBe(true);
  });

  it.each<[string, boolean, string, Files]>([
    ['a group that nobody looks up', false, 'shop.themes', {}],
    ['one for developers', false, 'pytest11', {}],
    ['one of the framework', true, 'flask.commands', {}],
    ['one that begins with a dependency', true, 'flask.plugins', {}],
    [
      'one that the source looks up',
      true,
      'shop.themes',
      {
        'shop/names.py': 'GROUP = "shop.themes"\n',
        'shop/load.py': 'from importlib.metadata import entry_points\nentry_points(group=GROUP)\n',
      },
    ],
    [
      'one that only its tests look up',
      false,
      'shop.themes',
      { 'tests/t.py': 'entry_points(group="shop.themes")\n' },
    ],
  ])('for %s: %s', (_, expected, group, files) => {
    const points = `${project}[project.entry-points."${group}"]\nmain = "shop:main"\n`;
    expect(installs({ 'pyproject.toml': points, ...files })).toBe(expected);
  });

  it('reads entry points of setup.py up to where they end', () => {
    const setup = `from setuptools import setup
setup(
    name="shop",
    entry_points={"console_scripts": ["shopctl = shop:main"]},
    package_data={"flask": ["*.txt"]},
)
`;
    const files = { 'requirements.txt': 'flask\n', 'setup.py': setup };
    expect(installs(files)).toBe(false);
    expect(installs({ ...files, Procfile: 'web: shopctl\n' })).toBe(true);
  });

  it('not when src is itself the package', () => {
    const files = { 'pyproject.toml': project, 'src/__init__.py': '', 'src/shop/__init__.py': '' };
    expect(installs(files)).toBe(false);
  });

  it('not where it can do without', () => {
    const guarded =
      'from importlib.metadata import version, PackageNotFoundError\nversion("my-shop")\n';
    expect(installs({ 'pyproject.toml': project, 'shop.py': guarded })).toBe(false);
    const tests = {
      'tests/test_x.py': 'from importlib.metadata import version\nversion("my-shop")\n',
    };
    expect(installs({ 'pyproject.toml': project, ...tests })).toBe(false);
    const onPath = { 'pyproject.toml': project, 'src/manage.py': '', 'src/shop/__init__.py': '' };
    expect(installs(onPath, 'src')).toBe(false);
  });
});
