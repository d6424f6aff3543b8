import { describe, expect, it } from 'vitest';
import { decideMarker } from './marker-choice.ts';
import { requirementsOfPylock } from './pylock.ts';

const CHOICE = { groups: ['prod'], extras: ['postgres'] };

describe('decideMarker', () => {
  it.each([
    [`'dev' in dependency_groups`, false],
    [`"prod" in dependency_groups`, true],
    [`'postgres' in extras and 'prod' in dependency_groups`, true],
    [`'dev' in dependency_groups or 'postgres' in extras`, true],
    [`'dev' not in dependency_groups`, true],
    [`python_version < "3.9"`, `python_version < "3.9"`],
    [`'prod' in dependency_groups and python_version < "3.9"`, `python_version < "3.9"`],
    [`'dev' in dependency_groups and python_version < "3.9"`, false],
    [`'dev' in dependency_groups or python_version < "3.9"`, `python_version < "3.9"`],
    [
      `('dev' in dependency_groups or sys_platform == "linux") and os_name == "posix"`,
      `(sys_platform == "linux") and os_name == "posix"`,
    ],
    [`platform_machine in "x86_64 arm64"`, `platform_machine in "x86_64 arm64"`],
  ])('%s: %s', (marker, expected) => {
    expect(decideMarker(marker, CHOICE)).toBe(expected);
  });
});

describe('requirementsOfPylock', () => {
  const lock = (packages: string): string =>
    `lock-version = "1.0"\ncreated-by = "uv"\ndefault-groups = ["main", "dev"]\n${packages}`;
  const read = (packages: string) => requirementsOfPylock(lock(packages), 'pylock.toml', CHOICE);

  it('pins what is for servers, with the hashes of all its files', () => {
    const text = read(`
[[packages]]
name = "six"
version = "1.16.0"
index = "https://pypi.org/simple"
sdist = { url = "https://x/six.tar.gz", hashes = { sha256 = "aa" } }
wheels = [{ url = "https://x/six.whl", hashes = { sha256 = "bb", md5 = "cc" } }]

[[packages]]
name = "flask"
version = "3.0"
marker = "'main' in dependency_groups and python_version >= '3.8'"
index = "https://index.example/simple/"
wheels = [{ name = "flask.whl", path = "flask.whl", hashes = { sha256 = "dd" } }]

[[packages]]
name = "ruff"
version = "0.5"
marker = "'dev' in dependency_groups"
wheels = []
`);
    expect(text.split('\n')).toEqual([
      '--extra-index-url https://index.example/simple',
      'six==1.16.0 --hash=sha256:aa --hash=sha256:bb',
      `flask==3.0 ; python_version >= '3.8' --hash=sha256:dd`,
      '',
    ]);
  });

  it('knows repositories, directories and archives, and leaves out the project itself', () => {
    const text = read(`
[[packages]]
name = "ours"
vcs = { type = "git", url = "https://git.example/ours", commit-id = "abc", subdirectory = "lib" }
[[packages]]
name = "near"
directory = { path = "near", editable = true }
[[packages]]
name = "shop"
directory = { path = "." }
[[packages]]
name = "big"
archive = { url = "https://x/big.zip", hashes = { sha256 = "aa" } }
`);
    expect(text).toBe(
      'ours @ git+https://git.example/ours@abc#subdirectory=lib\n-e ./near\nbig @ https://x/big.zip\n',
    );
  });

  it('says what is wrong with it', () => {
    expect(() => read('[[packages]]\nversion = "1"\n')).toThrow(
      'packages.0.name is not as expected',
    );
  });
});
