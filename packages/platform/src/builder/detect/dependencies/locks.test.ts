import { describe, expect, it } from 'vitest';
import { detectDependencyFiles } from '../dependency-files.ts';
import { memoryTree } from '../source-tree.ts';

type Files = Record<string, string>;
const found = (files: Files, root = '') => detectDependencyFiles(memoryTree(files), root);
const sourceIn = (files: Files, root = '') => found(files, root).value;
const PROJECT = '[project]\nname = "shop"\nversion = "1"\ndependencies = ["flask"]\n';
const locked = (name: string, table = 'package') =>
  `[[${table}]]\nname = "${name}"\nversion = "3.0"\n`;

describe('a pdm.lock', () => {
  const files = { 'pyproject.toml': PROJECT, 'pdm.lock': locked('flask') };

  it('counts while it fits', () => {
    expect(sourceIn(files)).toMatchObject({
      kind: 'pdm-lock',
      files: ['pdm.lock', 'pyproject.toml'],
    });
    expect(sourceIn(files).lines[0]?.evidence).toBe('pdm.lock:2');
    const stale = { ...files, 'pdm.lock': locked('six') };
    expect(sourceIn(stale)).toMatchObject({ kind: 'pyproject', preferred: 'six==3.0\n' });
  });

  it('before that of another tool when PDM is used', () => {
    const both = { ...files, 'uv.lock': locked('flask') };
    expect(sourceIn(both).kind).toBe('uv-lock');
    expect(sourceIn({ ...both, 'pyproject.toml': `${PROJECT}[tool.pdm]\n` }).kind).toBe('pdm-lock');
  });
});

describe('a pylock.toml', () => {
  const lock = locked('flask', 'packages');

  it('says all there is to say', () => {
    expect(sourceIn({ 'pylock.toml': lock })).toMatchObject({
      kind: 'pylock',
      files: ['pylock.toml'],
      names: ['flask'],
    });
  });

  it('must fit the project beside it', () => {
    const beside = (text: string) => sourceIn({ 'pyproject.toml': PROJECT, 'pylock.toml': text });
    expect(beside(lock).kind).toBe('pylock');
    expect(beside(locked('six', 'packages')).kind).toBe('pyproject');
  });

  it('has one for production before the general one, and none for developers', () => {
    const all = { 'pylock.toml': lock, 'pylock.prod.toml': lock, 'pylock.dev.toml': lock };
    expect(sourceIn(all).files[0]).toBe('pylock.prod.toml');
    expect(sourceIn({ 'pylock.dev.toml': lock, 'requirements.txt': 'six\n' }).files).toEqual([
      'requirements.txt',
    ]);
  });
});

describe('a workspace of uv', () => {
  const member = (name: string, dependencies: string) =>
    `[project]\nname = "${name}"\nversion = "1"\ndependencies = [${dependencies}]\n`;
  const files = {
    'pyproject.toml': `${member('all', '')}[tool.uv.workspace]\nmembers = ["apps/*"]\n`,
    'uv.lock': `${locked('six')}${locked('core')}source = { editable = "apps/core" }\n${locked('web')}source = { virtual = "apps/web" }\n`,
    'apps/web/pyproject.toml': member('web', '"six", "core"'),
    'apps/core/pyproject.toml': member('core', ''),
  };

  it('has one lock for all its projects', () => {
    expect(sourceIn(files, 'apps/web')).toMatchObject({
      kind: 'uv-lock',
      directory: '',
      files: ['uv.lock', 'apps/web/pyproject.toml'],
      member: { name: 'web', directory: 'apps/web' },
    });
    expect(found(files, 'apps/web').findings[0]?.why).toBe('web is one of its workspace');
  });

  it('which must know the project and what it asks for', () => {
    const other = { ...files, 'apps/new/pyproject.toml': member('new', '"six"') };
    expect(sourceIn(other, 'apps/new').files).toEqual(['apps/new/pyproject.toml']);
    const more = { ...files, 'apps/web/pyproject.toml': member('web', '"six", "idna"') };
    const stale = found(more, 'apps/web');
    expect(stale.value.kind).toBe('pyproject');
    expect(stale.findings[0]?.why).toBe('uv.lock is out of date: idna is not in it');
  });

  it('installs a member for the reasons that it has itself', () => {
    const build = '[build-system]\nrequires = ["hatchling"]\n';
    const source = { 'apps/web/src/web/__init__.py': '' };
    const own = { ...files, ...source, 'apps/web/pyproject.toml': build + member('web', '"six"') };
    expect(sourceIn(own, 'apps/web').installProject).toBe(true);
  });
});

it.each([
  ['[tool.hatch.envs.default]\ndependencies = ["flask"]\n', ['flask']],
  [
    `[project]\nname = "x"\nversion = "1"\n[tool.hatch.envs.default]\ndependencies = ["flask"]\n`,
    ['flask'],
  ],
  [`${PROJECT}[tool.hatch.envs.default]\ndependencies = ["pytest"]\n`, ['flask']],
  ['[tool.pdm]\ndependencies = ["six"]\n', ['six']],
  ['[project]\nname = "x"\ndynamic = ["dependencies"]\n[tool.pdm]\ndependencies = ["six"]\n', []],
])('lists of a tool count where the project has none: %j', (text, names) => {
  expect(sourceIn({ 'pyproject.toml': text }).names).toEqual(names);
});
