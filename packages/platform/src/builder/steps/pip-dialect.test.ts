import { describe, expect, it } from 'vitest';
import { forResolver } from './pip-dialect.ts';

describe('forResolver', () => {
  it.each([
    ['--allow-external foo', ''],
    ['--use-mirrors', ''],
    ['-i https://pypi.python.org/simple', ''],
    ['--index-url=https://pypi.org/simple/', ''],
    ['--extra-index-url https://x/simple', '--extra-index-url https://x/simple'],
    ['six>=1.*', 'six>=1'],
    ['six==1.*', 'six==1.*'],
    ['six!=1.2.*,>=1.2.*', 'six!=1.2.*,>=1.2'],
    ['six==1 --install-option="--x y"', 'six==1'],
    ['psycopg2 --no-binary psycopg2  # why', 'psycopg2  # why'],
    ['six==1 --only-binary=:all: \\', 'six==1 \\'],
    ['--no-binary psycopg2', '--no-binary psycopg2'],
    ['-e git+https://x/y.git@v1#egg=my_lib', 'my_lib @ git+https://x/y.git@v1'],
    ['-e git+https://x/y.git#egg=lib&subdirectory=s', 'lib @ git+https://x/y.git#subdirectory=s'],
    ['-e git+https://x/y.git#egg=lib-1.2', 'lib @ git+https://x/y.git'],
    ['--editable=git+https://x/y.git', 'git+https://x/y.git'],
    ['-e ./local', '-e ./local'],
    ['# six>=1.*', '# six>=1.*'],
  ])('%s', (line, expected) => {
    expect(forResolver(line)).toBe(expected);
  });

  it('keeps the numbers of lines', () => {
    expect(forResolver('a\r\n--use-wheel\r\nb\r\n')).toBe('a\n\nb\n');
  });
});
