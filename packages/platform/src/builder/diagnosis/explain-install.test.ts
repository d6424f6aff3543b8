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

  it('says which index did not answer, without its credentials', () => {
    const log = `error: Failed to fetch: https://user:secret@index.example/simple/flask/
  cause: error sending request for url (https://user:secret@index.example/simple/flask/)`;
    const found = cause(log);
    expect(found).toMatchObject({ code: 'REGISTRY_UNREACHABLE' });
    expect(found.message).toContain('index.example');
    expect(JSON.stringify(found)).not.toContain('secret');
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
