import { describe, expect, it } from 'vitest';
import { causeOfInstall } from './explain-install.ts';

const lines = [
  { name: 'flask', text: 'flask', evidence: 'requirements.txt:1' },
  { name: 'django', text: 'django==>5', evidence: 'requirements.txt:2' },
  { name: 'mysqlclient', text: 'mysqlclient==2.2.4', evidence: 'more.txt:7' },
];
const cause = (logTail: string) => causeOfInstall({ logTail, file: 'requirements.txt', lines });

describe('causeOfInstall', () => {
  it('names the line that cannot be parsed', () => {
    const log = `error: Couldn't parse requirement in \`r.txt\` at position 6
  cause: no such comparison operator "==>", must be one of ~= == != <= >= < > ===
         django==>5
               ^^^^`;
    expect(cause(log)).toMatchObject({ code: 'REQUIREMENTS_INVALID', where: 'requirements.txt:2' });
  });

  it('names what cannot be met', () => {
    const log = `error: No solution found when resolving dependencies
  cause: Because there is no version of django==99.0 and you require django==99.0, we can conclude that your requirements are unsatisfiable.`;
    expect(cause(log)).toMatchObject({
      code: 'REQUIREMENTS_UNSATISFIABLE',
      where: 'requirements.txt:2',
      message: expect.stringContaining('no version of django==99.0') as string,
    });
  });

  it('says when there is no such package', () => {
    const log = `error: No solution found when resolving dependencies
  cause: Because flask was not found in the package registry and you require flask, we can conclude that your requirements are unsatisfiable.`;
    expect(cause(log)).toMatchObject({
      message: 'No package is called "flask".',
      where: 'requirements.txt:1',
    });
  });

  it('says what a package lacked to be built', () => {
    const head =
      'error: Failed to build `mysqlclient==2.2.4`\n  cause: The build backend returned an error\n';
    expect(
      cause(`${head}  x.c:1:10: fatal error: mysql.h: No such file or directory\n`),
    ).toMatchObject({
      code: 'DEPENDENCY_BUILD_FAILED',
      where: 'more.txt:7',
      message: expect.stringContaining('the header mysql.h is missing') as string,
      hint: expect.stringContaining('apt = ["default-libmysqlclient-dev"]') as string,
    });
    expect(
      cause(`${head}error: command 'gcc' failed: No such file or directory`).message,
    ).toContain('compiler gcc');
    expect(cause(`${head}Exception: Can not find valid pkg-config name.`).message).toContain(
      'pkg-config',
    );
    expect(cause(`${head}ValueError: odd\n`).message).toContain('ValueError: odd');
  });

  it.each([
    [undefined, '-e .', 'The project itself could', 'setup.py:1'],
    ['shop @ file:///app', './lib', 'The project itself could', 'setup.py:1'],
    [undefined, './lib/own[pdf]', 'The package in lib/own could', 'setup.py:1'],
    ['own @ file:///app/lib/own', '-e ./lib/own', 'The package in lib/own could', 'setup.py:1'],
  ])('names a package of the source: %s by %s', (requirement, text, subject, where) => {
    const head = requirement
      ? `Failed to build \`${requirement}\``
      : 'The build backend returned an error';
    const logTail = `error: ${head}\n  ModuleNotFoundError: No module named 'msgspec.core'\n`;
    const own = [{ text, evidence: where }];
    const found = causeOfInstall({ logTail, file: 'setup.py', lines: own });
    expect(found).toMatchObject({ code: 'DEPENDENCY_BUILD_FAILED', where });
    expect(found.message).toContain(subject);
    expect(found.message).toContain('needs the module "msgspec.core"');
    expect(found.hint).toContain('requires = ["setuptools", "msgspec"]');
    expect(found.hint).not.toContain('wheel');
  });

  describe('of a repository', () => {
    const git = (said: string, url = 'https://github.com/o/flask@abc') =>
      cause(`error: Failed to download and build \`flask @ git+${url}\`
  cause: Git operation failed
  cause: failed to clone into: /build/cache/git-v2/db/a81c
  cause: process didn't exit successfully: \`/usr/bin/git fetch --force 'https://github.com/o/flask' '+HEAD:x'\` (exit status: 128)
         --- stderr
         ${said}`);

    it.each([
      ['Could not resolve host: github.com', 'github.com did not answer: Could not resolve host'],
      ['Failed to connect to github.com port 443', 'github.com did not answer: Failed to connect'],
      ['The requested URL returned error: 503', 'github.com did not answer: The requested URL'],
    ])('names what did not answer: %s', (said, message) => {
      const found = git(`fatal: unable to access 'https://github.com/o/flask/': ${said}`);
      expect(found).toMatchObject({ code: 'REPOSITORY_UNREACHABLE', where: 'requirements.txt:1' });
      expect(found.message).toContain(`repository https://github.com/o/flask, and ${message}`);
      expect(found.hint).toContain('make github.com reachable');
      expect(found.hint).toContain('flask==X.Y, instead of the repository in requirements.txt:1');
      expect(found.hint).not.toContain('wheels');
    });

    it.each([
      "fatal: couldn't find remote ref refs/tags/abc",
      'fatal: remote error: upload-pack: not our ref abc',
    ])('says when it has no such commit: %s', (said) => {
      const found = git(said);
      expect(found.message).toContain('which has no abc.');
      expect(found.hint).toContain('push abc there');
    });

    it.each([
      "fatal: could not read Username for 'https://github.com': terminal prompts disabled",
      "fatal: Authentication failed for 'https://github.com/o/flask/'",
      'git@github.com: Permission denied (publickey).\n fatal: Could not read from remote repository.',
      "fatal: unable to access 'https://github.com/o/flask/': The requested URL returned error: 403",
    ])('says how it is given credentials: %s', (said) => {
      const found = git(said, 'https://me:s3cret@github.com/o/flask');
      expect(found.message).toContain('which does not let us in');
      expect(found.hint).toContain(
        'GIT_CONFIG_KEY_0=url.https://USER:TOKEN@github.com/.insteadOf GIT_CONFIG_VALUE_0=https://github.com/',
      );
      expect(JSON.stringify(found)).not.toContain('s3cret');
    });

    it('does not tell a missing one from a hidden one', () => {
      const found = git("fatal: repository 'https://github.com/o/flask/' not found");
      expect(found.message).toContain('there is none, or only for those who may see it');
      expect(found.hint).toContain('GIT_CONFIG_COUNT=1');
    });

    it('of a lock: names the file that it was made from', () => {
      const locked = [{ name: 'flask', text: 'flask==3', evidence: 'back/poetry.lock:9' }];
      const logTail = `Failed to build \`flask @ git+https://github.com/o/flask@abc\`\nGit operation failed\n git fetch 'https://github.com/o/flask'\n fatal: not our ref abc`;
      const found = causeOfInstall({ logTail, file: 'back/poetry.lock', lines: locked });
      expect(found.where).toBe('back/poetry.lock:9');
      expect(found.hint).toContain('in back/pyproject.toml, then: poetry lock');
    });
  });

  it('says which index did not answer, without its credentials', () => {
    const log = `error: Failed to fetch: https://user:secret@index.example/simple/flask/
  cause: error sending request for url (https://user:secret@index.example/simple/flask/)`;
    const found = cause(log);
    expect(found).toMatchObject({ code: 'REGISTRY_UNREACHABLE' });
    expect(found.message).toContain('index.example');
    expect(JSON.stringify(found)).not.toContain('secret');
  });

  describe('of an index', () => {
    const indexes = [
      { name: 'pytorch-cpu', url: 'https://torch.example/whl/cpu', evidence: 'pyproject.toml:9' },
    ];
    const asked = (logTail: string) => causeOfInstall({ logTail, file: 'uv.lock', lines, indexes });
    const failed = (url: string) =>
      `error: Request failed after 3 retries in 11.3s\n  cause: Failed to fetch: ${url}\n  cause: error sending request for url (${url})\n  cause: dns error\n`;

    it('that the project names: what and where, and why it did not answer', () => {
      const found = asked(failed('https://torch.example/whl/cpu/torch/'));
      expect(found.message).toBe(
        'The package index torch.example did not answer: its name is not known here.',
      );
      expect(found.where).toBe('uv.lock');
      expect(found.hint).toContain('make torch.example reachable');
      expect(found.hint).toContain('name another index in pyproject.toml:9');
    });

    it('a file of it: for which package', () => {
      const found = asked(failed('https://torch.example/whl/cpu/Django-5.2-py3-none-any.whl'));
      expect(found.message).toContain('which Django comes from');
      expect(found.where).toBe('requirements.txt:2');
    });

    it('that refuses us: by the name of its variables', () => {
      const log =
        'error: Failed to fetch: `https://torch.example/whl/cpu/torch/`\n  cause: HTTP status client error (401 Unauthorized)\n';
      expect(asked(log).hint).toContain('UV_INDEX_PYTORCH_CPU_USERNAME=USER');
    });

    it('the public one: by its mirrors', () => {
      expect(asked(failed('https://pypi.org/simple/six/')).hint).toContain('PIP_INDEX_URL=');
    });
  });

  it('notices a package that changed on the index', () => {
    expect(
      cause('error: Failed to download `flask==3`\n  cause: Hash mismatch for `flask==3`\n'),
    ).toMatchObject({ code: 'REQUIREMENTS_UNSATISFIABLE', where: 'requirements.txt:1' });
  });

  it('does not take a full disk for a broken package', () => {
    const log =
      'error: Failed to build `mysqlclient==2.2.4`\n  cause: No space left on device (os error 28)\n';
    expect(cause(log)).toMatchObject({ code: 'DISK_FULL' });
    expect(cause(log).hint).toContain('8 GiB');
  });

  it('falls back to the last line', () => {
    expect(cause('hm\nstrange\n')).toMatchObject({
      code: 'BUILD_FAILED',
      message: expect.stringContaining('strange') as string,
    });
  });
});
