import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { asSimpleCommand } from './shell-command.ts';

const run = (command: string): string =>
  execFileSync('/bin/sh', ['-c', `exec ${asSimpleCommand(command)}`], {
    env: { PORT: '8000', PATH: '/usr/bin:/bin' },
    encoding: 'utf8',
  });

describe('asSimpleCommand', () => {
  it('leaves a simple command alone', () => {
    expect(asSimpleCommand('gunicorn --bind 0.0.0.0:$PORT site.wsgi')).toBe(
      'gunicorn --bind 0.0.0.0:$PORT site.wsgi',
    );
    expect(run('echo $PORT')).toBe('8000\n');
  });

  it('makes everything else runnable after exec', () => {
    expect(run('A=1 sh -c \'echo "$A"\'')).toBe('1\n');
    expect(run('cd / && pwd')).toBe('/\n');
    expect(run('echo one && echo "two $PORT"')).toBe('one\ntwo 8000\n');
    expect(run('echo a; echo b')).toBe('a\nb\n');
    expect(run('echo a | tr a b')).toBe('b\n');
    expect(run("echo 'a && b'")).toBe('a && b\n');
    expect(run('false || echo saved')).toBe('saved\n');
  });

  it('lets the last command of a chain take the place of the shell', () => {
    expect(asSimpleCommand('python manage.py migrate && gunicorn x')).toContain(
      '&& exec gunicorn x',
    );
  });
});
