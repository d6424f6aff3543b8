import { describe, expect, it } from 'vitest';
import { detectDependencyFiles } from '../detect/dependency-files.ts';
import { memoryTree } from '../detect/source-tree.ts';
import { parseLock } from './lock.ts';
import { projectLock } from './project-lock.ts';
import { generatedText } from './resolver-input.ts';

type Files = Record<string, string>;
const sourceIn = (files: Files) => detectDependencyFiles(memoryTree(files), '').value;
const lockIn = (files: Files) => projectLock(sourceIn(files), memoryTree(files));
const HASH = `sha256:${'a'.repeat(64)}`;

describe('projectLock', () => {
  it('is the requirements file itself in hash-checking mode', () => {
    const lock = lockIn({
      'requirements.txt': `-i https://pypi.org/simple\n--require-hashes\nflask==3.0 \\\n    --hash=${HASH}\n    # via app\n-r more.txt\n`,
      'more.txt': `six==1.16 ; python_version > "3" --hash=${HASH}\n`,
    });
    expect(lock?.split('\n').map((line) => line.replace(/\s+/g, ' '))).toEqual([
      '',
      `flask==3.0 --hash=${HASH}`,
      `six==1.16 ; python_version > "3" --hash=${HASH}`,
      '',
    ]);
  });

  it('is what Pipenv locked for production', () => {
    const pipfile = '[packages]\nflask = "*"\nours = {git = "https://x/y.git"}\n';
    const lock = JSON.stringify({
      _meta: {
        sources: [
          { url: 'https://pypi.org/simple', name: 'pypi' },
          { url: 'https://u.example/simple' },
        ],
      },
      default: {
        flask: {
          version: '==3.0',
          hashes: [HASH],
          extras: ['async'],
          markers: "python_version >= '3.8'",
          index: 'pypi',
        },
        ours: { git: 'https://x/y.git', ref: 'abc' },
      },
      develop: { pytest: { version: '==8' } },
    });
    const text = lockIn({ Pipfile: pipfile, 'Pipfile.lock': lock }) ?? '';
    expect(text.split('\n')).toEqual([
      '--index-url https://pypi.org/simple',
      '--extra-index-url https://u.example/simple',
      `flask[async]==3.0 ; python_version >= '3.8' --hash=${HASH}`,
      'ours @ git+https://x/y.git@abc',
      '',
    ]);
    expect(parseLock(text).isPublic).toBe(false);
  });

  it('has the production groups of Poetry, not the others', () => {
    const one = (name: string): string =>
      `[[package]]\nname = "${name}"\nversion = "1"\nfiles = [{file = "x.whl", hash = "${HASH}"}]\n`;
    const text = lockIn({
      'pyproject.toml':
        '[tool.poetry.dependencies]\npython = "^3.9"\nflask = "^1"\n[tool.poetry.group.prod]\noptional = true\n[tool.poetry.group.prod.dependencies]\ngunicorn = "*"\n[tool.poetry.group.lint.dependencies]\nruff = "*"\n',
      'poetry.lock': one('flask') + one('gunicorn') + one('ruff'),
    });
    expect(text).toBe(`flask==1 --hash=${HASH}\ngunicorn==1 --hash=${HASH}\n`);
  });

  it('is nothing where there is something to resolve', () => {
    expect(lockIn({ 'requirements.txt': 'flask\n' })).toBeUndefined();
  });
});

describe('generatedText', () => {
  it('adds the project itself once, and only where it is installed', () => {
    expect(generatedText(sourceIn({ 'requirements.txt': 'flask\n' }))).toBeUndefined();
    const installed = {
      'setup.py': 'from setuptools import setup\nsetup(name="x")',
      'src/x/__init__.py': '',
    };
    expect(generatedText(sourceIn(installed))).toBe('-e .\n');
    const both = { 'requirements.txt': 'flask\n', ...installed };
    expect(generatedText(sourceIn(both))).toBe('-r requirements.txt\n-e .\n');
    const split = { 'requirements/base.txt': 'a\n', 'requirements/prod.txt': 'b\n', ...installed };
    expect(generatedText(sourceIn(split))).toBe(
      '-r requirements/base.txt\n-r requirements/prod.txt\n-e .\n',
    );
  });
});
