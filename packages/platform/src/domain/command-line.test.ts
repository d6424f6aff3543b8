import { describe, expect, it } from 'vitest';
import { commandLineArgs } from './command-line.ts';

describe('commandLineArgs', () => {
  it.each([
    ['gunicorn app:app', ['/bin/sh', '-c', 'exec gunicorn app:app']],
    ['  gunicorn -b :$PORT x ', ['/bin/sh', '-c', 'exec gunicorn -b :$PORT x']],
    ['exec gunicorn x', ['/bin/sh', '-c', 'exec gunicorn x']],
    ['A=1 B=2 gunicorn x', ['/bin/sh', '-c', 'exec env A=1 B=2 gunicorn x']],
    ['cd web && gunicorn x', ['/bin/bash', '-c', 'cd web && gunicorn x']],
    ['python x.py | cat', ['/bin/bash', '-c', 'python x.py | cat']],
    ["python -c 'a; b'", ['/bin/sh', '-c', "exec python -c 'a; b'"]],
    ['python -c "print(1)"', ['/bin/sh', '-c', 'exec python -c "print(1)"']],
  ])('%s', (line, args) => {
    expect(commandLineArgs(line)).toEqual(args);
  });
});
