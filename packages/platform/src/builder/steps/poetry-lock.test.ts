import { describe, expect, it } from 'vitest';
import { requirementsOfPoetryLock } from './poetry-lock.ts';

const hash = (letter: string): string => `sha256:${letter.repeat(64)}`;
const LOCK = `
[[package]]
name = "Django"
version = "5.2"
optional = false
files = [{file = "django.whl", hash = "${hash('a')}"}]
[package.dependencies]
asgiref = ">=3.8"
tzdata = {version = "*", markers = "sys_platform == \\"win32\\""}
argon2-cffi = {version = ">=19", optional = true, markers = "extra == \\"argon2\\""}
[package.extras]
argon2 = ["argon2-cffi (>=19)"]

[[package]]
name = "asgiref"
version = "3.8.1"
files = [{file = "asgiref.whl", hash = "${hash('b')}"}]

[[package]]
name = "tzdata"
version = "2025.1"
files = [{file = "tzdata.whl", hash = "${hash('c')}"}]

[[package]]
name = "argon2-cffi"
version = "23.1"
files = [{file = "argon.whl", hash = "${hash('d')}"}]

[[package]]
name = "pytest"
version = "8.0"
files = [{file = "pytest.whl", hash = "${hash('e')}"}]

[[package]]
name = "ours"
version = "1.0"
[package.source]
type = "git"
url = "https://git.example/ours.git"
resolved_reference = "abc123"
`;
const project = (dependencies: string): string =>
  `[tool.poetry.dependencies]\npython = "^3.12"\n${dependencies}\n[tool.poetry.group.dev.dependencies]\npytest = "*"\n`;

describe('requirementsOfPoetryLock', () => {
  it('takes what the main dependencies reach, with hashes and markers', () => {
    const text = requirementsOfPoetryLock(LOCK, project('django = "^5"'));
    expect(text.trim().split('\n')).toEqual([
      `Django==5.2 --hash=${hash('a')}`,
      `asgiref==3.8.1 --hash=${hash('b')}`,
      `tzdata==2025.1 ; (sys_platform == "win32") --hash=${hash('c')}`,
    ]);
  });

  it('keeps what the project says of Pythons and platforms', () => {
    const wish =
      'asgiref = {version = "*", platform = "win32"}\npytest = {version = "*", python = "<3.11"}';
    expect(requirementsOfPoetryLock(LOCK, project(wish)).trim().split('\n')).toEqual([
      `asgiref==3.8.1 ; (sys_platform == "win32") --hash=${hash('b')}`,
      `pytest==8.0 ; (python_version < "3.11") --hash=${hash('e')}`,
    ]);
  });

  it('gives what only a platform needs to that platform', () => {
    const text = requirementsOfPoetryLock(
      LOCK,
      project('django = {version = "*", platform = "x"}'),
    );
    expect(text.trim().split('\n')).toEqual([
      `Django==5.2 ; (sys_platform == "x") --hash=${hash('a')}`,
      `asgiref==3.8.1 ; (sys_platform == "x") --hash=${hash('b')}`,
      `tzdata==2025.1 ; ((sys_platform == "x") and (sys_platform == "win32")) --hash=${hash('c')}`,
    ]);
  });

  it('comes to an end where packages need each other, each under a marker', () => {
    const entry = (name: string, other: string): string =>
      `[[package]]\nname = "${name}"\nversion = "1"\nfiles = []\n[package.dependencies]\n${other} = {version = "*", markers = "os_name == '${other}'"}\n`;
    const text = requirementsOfPoetryLock(
      entry('one', 'two') + entry('two', 'one'),
      project('one = {version = "*", platform = "linux"}'),
    );
    expect(text).toContain('one==1 ; (sys_platform == "linux")');
    expect(text).toContain('two==1 ; ');
  });

  it('follows extras, also of PEP 621', () => {
    const poetry = project('django = {version = "^5", extras = ["argon2"]}');
    expect(requirementsOfPoetryLock(LOCK, poetry)).toContain('argon2-cffi==23.1');
    const pep621 = '[project]\nname = "x"\ndependencies = ["Django[argon2]>=5"]\n';
    expect(requirementsOfPoetryLock(LOCK, pep621)).toContain('argon2-cffi==23.1');
  });

  it('names repositories by the commit that was locked', () => {
    const text = requirementsOfPoetryLock(
      LOCK,
      project('ours = {git = "https://git.example/ours.git"}'),
    );
    expect(text).toBe('ours @ git+https://git.example/ours.git@abc123\n');
  });

  it('refuses what is no lock', () => {
    const read = (text: string) => () => requirementsOfPoetryLock(text, project(''));
    expect(read('package = 3')).toThrow(
      expect.objectContaining({ code: 'REQUIREMENTS_INVALID' }) as Error,
    );
    expect(read('[[package]\n')).toThrow(
      expect.objectContaining({ where: 'poetry.lock:1 [[package]' }) as Error,
    );
  });
});
