import { describe, expect, it } from 'vitest';
import { requirementsOfPdmLock } from './pdm-lock.ts';

const hash = (letter: string): string => `sha256:${letter.repeat(64)}`;
const LOCK = `
[metadata]
groups = ["default", "dev"]
strategy = ["inherit_metadata"]
lock_version = "4.5.0"
content_hash = "sha256:x"

[[package]]
name = "Django"
version = "5.2"
requires_python = ">=3.10"
groups = ["default", "dev"]
dependencies = ["asgiref<4,>=3.8", "tzdata; sys_platform == \\"win32\\""]
files = [{file = "Django-5.2-py3-none-any.whl", hash = "${hash('a')}"}]

[[package]]
name = "django"
version = "5.2"
extras = ["argon2"]
dependencies = ["Django==5.2", "argon2-cffi>=19.1"]
files = [{file = "Django-5.2-py3-none-any.whl", hash = "${hash('a')}"}]

[[package]]
name = "asgiref"
version = "3.8.1"
files = [
  {file = "asgiref.whl", hash = "${hash('b')}"},
  {file = "asgiref.tar.gz", hash = "${hash('c')}"},
]

[[package]]
name = "tzdata"
version = "2025.1"
files = [{file = "tzdata.whl", hash = "${hash('d')}"}]

[[package]]
name = "argon2-cffi"
version = "23.1"
files = [{file = "argon.whl", hash = "${hash('e')}"}]

[[package]]
name = "ruff"
version = "0.5"
files = [{file = "ruff.whl", hash = "${hash('f')}"}]

[[package]]
name = "ours"
version = "1.0"
git = "https://git.example/ours.git"
ref = "main"
revision = "abc123"
subdirectory = "lib"

[[package]]
name = "near"
version = "1.0"
path = "./near"
editable = true
`;
const project = (dependencies: string): string =>
  `[project]\nname = "shop"\ndependencies = [${dependencies}]\n[dependency-groups]\ndev = ["ruff"]\n`;

describe('requirementsOfPdmLock', () => {
  it('takes what the project reaches, with hashes and markers', () => {
    expect(requirementsOfPdmLock(LOCK, project('"django>=5"')).split('\n')).toEqual([
      `Django==5.2 --hash=${hash('a')}`,
      `asgiref==3.8.1 --hash=${hash('b')} --hash=${hash('c')}`,
      `tzdata==2025.1 ; (sys_platform == "win32") --hash=${hash('d')}`,
      '',
    ]);
  });

  it('follows extras, repositories and paths', () => {
    const text = requirementsOfPdmLock(LOCK, project('"django[argon2]", "ours", "near"'));
    expect(text).toContain(`argon2-cffi==23.1 --hash=${hash('e')}`);
    expect(text.match(/^Django==/gm)).toHaveLength(1);
    expect(text).toContain('ours @ git+https://git.example/ours.git@abc123#subdirectory=lib\n');
    expect(text).toContain('-e ./near\n');
    expect(text).not.toContain('ruff');
  });

  it('reads the table of files of older locks', () => {
    const older = `[[package]]\nname = "six"\nversion = "1.16"\n[metadata.files]\n"six 1.16" = [{url = "https://x/six.whl", hash = "${hash('a')}"}]\n`;
    expect(requirementsOfPdmLock(older, project('"six"'))).toBe(`six==1.16 --hash=${hash('a')}\n`);
  });

  it('says what is wrong with it', () => {
    expect(() => requirementsOfPdmLock('[[package]]\nversion = "1"\n', project('"six"'))).toThrow(
      'pdm.lock: package.0.name is not as expected',
    );
  });
});
