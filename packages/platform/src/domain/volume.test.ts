import { describe, expect, it } from 'vitest';
import {
  isVolumePath,
  parseVolumeSize,
  placeOnVolume,
  volumeLayout,
  withoutNested,
} from './volume.ts';

const MIB = 1024 * 1024;
const plan = (...paths: { path: string; kind?: 'file' }[]) => ({
  sizeBytes: 1024 * MIB,
  paths: paths.map((one) => ({ ...one, why: 'for a test' })),
});

describe('paths for a volume', () => {
  it.each(['/app/media', '/app/a/b.c', '/data', '/srv/x', '/var/lib/x', '/home/app', '/opt/own'])(
    '%s',
    (path) => expect(isVolumePath(path)).toBe(true),
  );
  it.each([
    ...['/', '/app', '/etc', '/etc/x', '/usr/lib/x', '/proc/1', '/venv', '/venv/lib', '/lib64/x'],
    ...[
      '/run/tandem/x',
      '/opt',
      '/opt/tandem',
      '/opt/tandem/x',
      '/opt/python',
      '/tmp/x',
      '/static',
    ],
    ...['app/media', '', '/app/../etc', '/app/./x', '/app//x', '/app/x/', '/app/a b', '/app/a+b'],
    ...['/.hidden', '/app/x\n', `/app/${'x'.repeat(200)}`],
  ])('not %j', (path) => expect(isVolumePath(path)).toBe(false));
});

describe('the layout', () => {
  it('gives each path a directory with a name of its own', () => {
    const { directories, links } = volumeLayout(
      plan({ path: '/app/a/b' }, { path: '/app/a-b' }, { path: '/data' }),
    );
    expect(directories.map(({ name, target }) => [name, target])).toEqual([
      ['app+a+b', '/app/a/b'],
      ['app+a-b', '/app/a-b'],
      ['data', '/data'],
    ]);
    expect(links).toEqual({});
  });

  it('puts a link in the place of a file', () => {
    const { directories, links } = volumeLayout(plan({ path: '/app/x/db.sqlite3', kind: 'file' }));
    expect(directories).toMatchObject([
      { name: 'app+x+db.sqlite3', target: '/run/tandem/files/app+x+db.sqlite3' },
    ]);
    expect(links).toEqual({
      '/app/x/db.sqlite3': '/run/tandem/files/app+x+db.sqlite3/db.sqlite3',
    });
  });

  it('knows where a directory below lies, and that a neighbour is none', () => {
    const volume = plan({ path: '/app/instance' }, { path: '/app/db', kind: 'file' });
    expect(placeOnVolume(volume, '/app/instance')).toBe('app+instance');
    expect(placeOnVolume(volume, '/app/instance/up/x')).toBe('app+instance/up/x');
    expect(placeOnVolume(volume, '/app/instances')).toBeUndefined();
    expect(placeOnVolume(volume, '/app/db')).toBeUndefined();
    expect(placeOnVolume(undefined, '/app/instance')).toBeUndefined();
  });

  it('leaves out what lies within another, in either order, and the second of two', () => {
    const paths = plan(
      { path: '/app/a/b' },
      { path: '/app/a' },
      { path: '/app/ab' },
      { path: '/app/a' },
      { path: '/app/a/x.log', kind: 'file' },
      { path: '/app/f', kind: 'file' },
    ).paths;
    expect(withoutNested(paths).map(({ path }) => path)).toEqual(['/app/a', '/app/ab', '/app/f']);
  });
});

it('what holds something public is public', () => {
  const paths = [
    { path: '/app/instance', why: 'a' },
    { path: '/app/instance/media', isPublic: true, why: 'b' },
    { path: '/app/logs', why: 'c' },
  ];
  expect(withoutNested(paths).map(({ path, isPublic = false }) => [path, isPublic])).toEqual([
    ['/app/instance', true],
    ['/app/logs', false],
  ]);
});

describe('sizes', () => {
  it.each([
    ['1GiB', 1024 * MIB],
    ['500M', 500 * MIB],
    ['2 gb', 2048 * MIB],
    ['1TiB', 1024 * 1024 * MIB],
  ])('%s', (text, sizeBytes) => expect(parseVolumeSize(text)).toBe(sizeBytes));
  it.each(['', '1', 'GiB', '-1GiB', '1.5GiB', '1KiB', '1MiB', '5000TiB', '1GiBB', '0G'])(
    'not %j',
    (text) => expect(parseVolumeSize(text)).toBeUndefined(),
  );
});
